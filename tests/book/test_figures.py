"""The figures at work in a browser: by mouse, by key and by finger, in light and dark, against Python's numbers.

The page is the smallest that holds a figure: the script that the site ships, opened from disk. What each chapter's
pages do with it is tested with the pages.
"""

import base64
import io
import itertools
import json
import re
from collections import defaultdict
from functools import cache
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from conftest import ROOT
from tests.widgets.kinds import FOUGHT, KINDS, NETWORKS, POOLED, Compared, Curves, Explorer
from theme import figures
from theme.figures import PARCELS, WIDGETS, bundle
from utils.widgets import (
    ChannelMixer,
    ConvolutionMatrix,
    DrawDigit,
    Frequencies,
    KernelOnPhoto,
    KernelStepper,
    LayerLedger,
    Pooling,
    ReceptiveFieldTower,
    TransposedConvolution,
    YourPhoto,
    efficientnet,
)
from utils.widgets.raster import colours

NOTEBOOKS = [ROOT / "index.ipynb", *sorted((ROOT / "chapters").glob("*.ipynb"))]
LIVE = [str(path.relative_to(ROOT).with_suffix("")) for path in NOTEBOOKS if "data-widget" in path.read_text("utf-8")]
PALETTE = json.loads((WIDGETS.parent / "palette.json").read_text(encoding="utf-8"))
PAGE = """<!doctype html><html lang="en" data-theme="{mode}"><meta charset="utf-8"><title>Figure</title>
<meta name="viewport" content="width=device-width"><style>
body {{ margin: 16px auto; padding: 0 16px; max-width: 740px; background: {paper}; color: {ink}; {colours} }}
{style}</style><main><h1>Figure</h1>{figure}</main><script>{script}</script></html>"""
LOOKS = {"light": {"paper": "#ffffff", "ink": "#323232"}, "dark": {"paper": "#14181e", "ink": "#ced6dd"}}
parcel = cache(figures.parcel)  # 7 MB
MODES = pytest.mark.parametrize("mode", ["light", "dark"])
FIGURES = pytest.mark.parametrize("kind", KINDS)
BLANK = base64.b64encode(bytes(392)).decode()
# States that show most: weights on dark cells, the transposed product, a layer, pixels that are never read.
RICH = {
    Explorer: {"profiles": NETWORKS, "network": "ResNet-50", "area": "memory"},
    DrawDigit: {"digit": 25, "turn": 30, "right": 4, "layer": "C3", "unit": (15, 9, 9)},
    Frequencies: {"operation": "every second pixel", "kernel": "mean of 4 × 4", "wave": (20, -31)},
    KernelOnPhoto: {"position": (24, 28)},
    KernelStepper: {"position": (0, 4), "padding": 1},
    ConvolutionMatrix: {"size": 5, "transposed": True, "side": "input"},
    ChannelMixer: {"in_channels": 6, "out_channels": 6, "groups": 2, "channel": 4},
    LayerLedger: {},
    TransposedConvolution: {"view": "insert zeros", "size": 4, "padding": 1, "position": (2, 2)},
    Pooling: {"size": 8, "kernel_size": 3, "stride": 3, "side": "input", "position": (1, 1)},
    Compared: {"shown": [run["case"] for run in FOUGHT[:15:3]], "across": "minutes of learning", "steps": 313},
    Curves: {"rate": 0.3, "seed": 1},
    ReceptiveFieldTower: {"layers": [{"kernel_size": 2, "stride": 3, "padding": 2}, {"kernel_size": 3}], "position": 0},
    YourPhoto: {"sample": "a rocket", "label": 744},
}
BROKEN = {
    Explorer: {"profiles": POOLED},
    DrawDigit: {"drawing": BLANK, "centre": False, "layer": "C5", "unit": (0, 7, 14)},
    Frequencies: {"picture": "one wave", "operation": "zeros between", "kernel": "none", "controls": []},
    KernelOnPhoto: {"kernel": "outline", "position": (99, 99), "drawn": 100},
    KernelStepper: {"size": 3, "kernel_size": 5},
    ConvolutionMatrix: {"size": 3, "kernel_size": 4},
    TransposedConvolution: {"stride": 2, "output_padding": 2},
    ChannelMixer: {"groups": 3},
    LayerLedger: {"layers": [{"kind": "linear", "out_features": 2}, {"kind": "flatten"}]},
    Pooling: {"padding": 2},
    Compared: {"shown": []},
    Curves: {"rate": 3.0},
    ReceptiveFieldTower: {"layers": [{"kernel_size": 7, "stride": 4}, {"kernel_size": 4}]},
    YourPhoto: {"turn": 30},
}


@pytest.fixture(scope="module")
def tabs():
    """Tabs that have served a test, by what they were opened with: to open one takes longer than a figure's page."""
    return defaultdict(list)


@pytest.fixture
def show(browser, tabs, tmp_path):
    """Open a figure's page; ``browser.new_context``'s options by keyword."""
    pages = []

    def open_page(figure, mode="light", width=1280, **options):
        idle = tabs[mode, width, *sorted(options.items())]
        size = {"width": width, "height": 900}
        page = idle.pop() if idle else listening(browser.new_context(viewport=size, color_scheme=mode, **options))
        page.complaints = []
        page.set_viewport_size(size)
        file = tmp_path / f"{figure.name}-{mode}.html"
        colours = "; ".join(f"--cnn-{role}: {colour[mode]}" for role, colour in PALETTE.items())
        text = PAGE.format(
            mode=mode,
            colours=colours,
            style=(WIDGETS / "widgets.css").read_text(encoding="utf-8"),
            figure=figure._repr_mimebundle_()[0]["text/html"],
            script=bundle(WIDGETS, [figure.name]),
            **LOOKS[mode],
        )
        file.write_text(text, encoding="utf-8")
        if figure.name in PARCELS:
            (tmp_path / f"{figure.name}.data.js").write_text(parcel(figure.name), encoding="utf-8")
        page.goto(file.as_uri())
        if options.get("java_script_enabled", True):
            page.locator(".cnn-widget[data-ready]").wait_for()
        pages.append((idle, page))
        return page

    yield open_page
    for idle, page in pages:
        assert page.complaints == []
        page.goto("about:blank")
        page.mouse.up()
        idle.append(page)


def listening(context):
    """A tab that notes in ``complaints`` what goes wrong."""
    page = context.new_page()
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    return page


def result(page):
    """What a figure says in words."""
    return page.locator(".cnn-result")


def says(page, figure):
    """Wait until the page says what Python's figure says, after each action: all else that it shows comes with it."""
    expect(result(page)).to_have_text(figure.sentence())


def unfold(page):
    """Open the tables, which are drawn when the browser tells that they are open: after the click."""
    details = page.locator("details")
    details.evaluate("""node => {
      node.opened = new Promise((done) => node.addEventListener("toggle", () => done(), { once: true }));
    }""")
    details.locator("summary").click()
    details.evaluate("node => node.opened")


def slide(page, label, value):
    """Drag a slider's thumb to ``value`` with the mouse."""
    slider = page.get_by_label(label)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    least, most, now = (float(slider.evaluate(f"node => node.{name}")) for name in ("min", "max", "value"))
    thumb = 16  # its middle goes from half of it to the width less half of it

    def at(level):
        return box["x"] + thumb / 2 + (box["width"] - thumb) * (level - least) / (most - least)

    page.mouse.move(at(now), box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(at(value), box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    expect(slider).to_have_value(str(value))


@MODES
def test_stepper_by_mouse(show, mode):
    page = show(KernelStepper(), mode)
    says(page, KernelStepper())
    state = {}
    for label, trait, value in [
        ("Padding p", "padding", 1),
        ("Kernel size F", "kernel_size", 2),
        ("Input size W", "size", 10),
        ("Stride S", "stride", 4),
        ("Dilation d", "dilation", 3),
    ]:
        slide(page, label, value)
        state[trait] = value
        says(page, KernelStepper(**state))
    page.get_by_role("combobox", name="Image").select_option("counting")
    page.get_by_role("combobox", name="Kernel").select_option("counting")
    page.get_by_label("Flip the kernel").check()
    page.locator(".cnn-pad .cnn-cell").last.click()
    last = KernelStepper(**state, image="counting", kernel="counting", flip=True, position=(9, 9))
    says(page, last)
    page.get_by_role("button", name="First position").click()
    page.get_by_role("button", name="Step").click()
    last.position = [0, 1]
    says(page, last)


@MODES
def test_stepper_by_key(show, mode):
    page = show(KernelStepper(stride=2, padding=1), mode)
    for grid in page.get_by_role("application").all():  # the input, the output
        for key, position in [
            ("ArrowRight", [0, 1]),
            ("ArrowDown", [1, 1]),
            ("ArrowLeft", [1, 0]),
            ("ArrowUp", [0, 0]),
            ("ArrowUp", [0, 0]),
        ]:
            grid.press(key)
            says(page, KernelStepper(stride=2, padding=1, position=position))
    page.get_by_label("Stride S").press("ArrowRight")
    says(page, KernelStepper(stride=3, padding=1))
    weight = page.get_by_label("Weight row 1, column 1")
    weight.fill("-7")
    weight.press("Tab")
    own = [[-7, 0, 1], [-1, 0, 1], [-1, 0, 1]]
    says(page, KernelStepper(stride=3, padding=1, kernel=own))
    expect(page.locator(":focus")).to_have_attribute("aria-label", "Weight row 1, column 2")
    expect(page.get_by_role("combobox", name="Kernel")).to_have_value("your own")


def on_input(page, row, column, cells):
    """Where on the screen the middle of a cell of the input lies, padding counted."""
    box = page.get_by_role("application", name="Input").locator("svg").bounding_box()
    return box["x"] + box["width"] * (column + 0.5) / cells, box["y"] + box["height"] * (row + 0.5) / cells


@pytest.mark.parametrize(
    ("state", "places"),
    [
        ({}, {(1, 1): (0, 0), (3, 4): (2, 3), (6, 6): (4, 4), (0, 6): (0, 4)}),
        ({"stride": 2, "padding": 1, "kernel_size": 2}, {(2, 3): (1, 1), (8, 8): (3, 3), (0, 4): (0, 2)}),
        ({"dilation": 2}, {(3, 3): (1, 1), (6, 2): (2, 0)}),
    ],
)
def test_stepper_is_dragged_on_its_input(show, state, places):
    page = show(KernelStepper(**state))
    cells = 7 + 2 * state.get("padding", 0)
    page.mouse.move(*on_input(page, 0, 0, cells))
    page.mouse.down()
    for place, position in places.items():
        page.mouse.move(*on_input(page, *place, cells))
        says(page, KernelStepper(**state, position=position))
    page.mouse.up()
    page.mouse.click(*on_input(page, 2, 2, cells))
    expect(result(page)).not_to_have_text(KernelStepper(**state, position=position).sentence())


def test_stepper_is_dragged_by_a_finger(show):
    page = show(KernelStepper(), width=390, has_touch=True, is_mobile=True)
    page.get_by_role("application", name="Input").scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    swipe(page, [on_input(page, 1 + step / 5, 1 + step / 5, 7) for step in range(16)])
    says(page, KernelStepper(position=(3, 3)))
    assert page.evaluate("scrollY") == scrolled
    page.touchscreen.tap(*on_input(page, 1, 1, 7))
    says(page, KernelStepper())


def test_stepper_shows_products_formula_and_what_is_never_read(show):
    page = show(KernelStepper(size=8, stride=3, position=(0, 1)))
    products = " + ".join(["−1·1 + 0·6 + 1·6"] * 3) + " = 15"
    expect(page.locator(".cnn-products")).to_have_text(products, use_inner_text=True)
    formula = page.locator(".cnn-formula")
    expect(formula).to_have_text("⌊(8 + 2·0 − 1·(3 − 1) − 1) / 3⌋ + 1 = 2: the map shrinks, 8 → 2.")
    expect(page.locator(".cnn-unread")).to_have_count(64 - 36)
    slide(page, "Kernel size F", 2)
    slide(page, "Stride S", 1)
    slide(page, "Padding p", 1)
    expect(formula).to_contain_text("+ 1 = 9: the map grows, 8 → 9.")


def test_a_slider_is_named_without_its_value(show):
    slider = show(KernelStepper(size=8)).get_by_role("slider", name="Input size W", exact=True)
    expect(slider).to_have_value("8")


def test_a_figure_grows_with_the_readers_letters(show):
    page = show(KernelStepper())
    parts = page.locator(".cnn-result, .cnn-scroll > svg")
    before = [parts.nth(index).bounding_box()["height"] for index in range(2)]
    page.evaluate("document.documentElement.style.fontSize = '32px'")
    page.locator("[role=application]").first.press("ArrowRight")
    after = [parts.nth(index).bounding_box()["height"] for index in range(2)]
    assert all(now >= 1.9 * then for now, then in zip(after, before, strict=True))


def test_stepper_plays_unless_motion_is_unwanted(show):
    page = show(KernelStepper())
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".cnn-result")).to_have_attribute("aria-live", "off")
    expect(page.get_by_role("button", name="Pause")).not_to_have_attribute("aria-pressed", re.compile(""))
    expect(result(page)).not_to_have_text(KernelStepper().sentence())
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".cnn-result")).to_have_attribute("aria-live", "polite")
    expect(show(KernelStepper(), reduced_motion="reduce").get_by_role("button", name="Play")).to_have_count(0)


def spot(page, name, row, column, cells):
    """Where on the screen a cell of the photograph, or of its map, lies."""
    svg = page.get_by_role("application") if name == "photo" else page.locator(".cnn-as-output .cnn-pad")
    box = svg.locator("svg").bounding_box()
    return box["x"] + box["width"] * (column + 0.5) / cells, box["y"] + box["height"] * (row + 0.5) / cells


@MODES
def test_photo_by_mouse(show, mode):
    page = show(KernelOnPhoto(position=(24, 28)), mode)
    page.mouse.move(*spot(page, "photo", 10, 12, 64))
    page.mouse.down()
    says(page, KernelOnPhoto(position=(24, 28)))
    for row, column in ((20, 30), (40, 31), (-5, 80)):
        page.mouse.move(*spot(page, "photo", row, column, 64))
        place = [min(max(row - 1, 0), 61), min(max(column - 1, 0), 61)]  # the kernel's middle is under the pointer
        says(page, KernelOnPhoto(position=place))
    page.mouse.up()
    page.mouse.move(*spot(page, "photo", 30, 30, 64))
    says(page, KernelOnPhoto(position=(0, 61)))
    page.mouse.click(*spot(page, "map", 7, 9, 62))
    says(page, KernelOnPhoto(position=(7, 9)))
    page.get_by_role("combobox", name="Kernel").select_option("blur")
    blurred = KernelOnPhoto(position=(7, 9), kernel="blur")
    says(page, blurred)
    patch = blurred.image[7:10, 9:12].ravel()
    products = f"{' + '.join(f'1·{value}' for value in patch)} = {patch.sum():,}"
    expect(page.locator(".cnn-products")).to_have_text(products, use_inner_text=True)


def test_photo_by_key(show):
    page = show(KernelOnPhoto(position=(0, 60)))
    pad = page.get_by_role("application")
    for key, position in [
        ("ArrowDown", (1, 60)),
        ("ArrowRight", (1, 61)),
        ("ArrowRight", (1, 61)),
        ("ArrowUp", (0, 61)),
    ]:
        pad.press(key)
        says(page, KernelOnPhoto(position=position))


def test_photo_by_finger(show):
    page = show(KernelOnPhoto(position=(24, 28)), width=390, has_touch=True, is_mobile=True)
    page.locator(".cnn-heading").first.scroll_into_view_if_needed()
    page.touchscreen.tap(*spot(page, "photo", 40, 50, 64))
    says(page, KernelOnPhoto(position=(39, 49)))
    # On the kernel a finger drags it, in any direction, and the page stays; beside it, it scrolls the page.
    scrolled = page.evaluate("scrollY")
    swipe(page, [spot(page, "photo", 40 - step, 50 - step, 64) for step in range(21)])
    says(page, KernelOnPhoto(position=(19, 29)))
    assert page.evaluate("scrollY") == scrolled
    swipe(page, [spot(page, "photo", 50 - step, 5, 64) for step in range(21)])
    says(page, KernelOnPhoto(position=(19, 29)))
    page.wait_for_function("scrolled => scrollY > scrolled", arg=scrolled)


def swipe(page, places):
    """Move a finger over the places."""
    finger = page.context.new_cdp_session(page)
    for x, y in places:
        kind = "touchMove" if (x, y) != places[0] else "touchStart"
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


PIXELS = """() => Promise.all([...document.querySelectorAll('.cnn-scroll image')].map(async (node) => {
  const picture = Object.assign(new Image(), { src: node.getAttribute("href") });
  await picture.decode();
  const { width, height } = picture;
  const pen = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  pen.drawImage(picture, 0, 0);
  return [...pen.getImageData(0, 0, width, height).data];
}))"""


@pytest.mark.parametrize("kernel", ["vertical edge", "blur"])
def test_photo_and_map_have_pythons_colours(show, kernel):
    figure = KernelOnPhoto(kernel=kernel)
    page = show(figure)
    seen = page.evaluate(PIXELS)
    levels = [(figure.image, False), (figure.levels, kernel == "vertical edge")]
    for pixels, (values, signed) in zip(seen, levels, strict=True):
        palette = np.frombuffer(colours(signed), np.uint8).reshape(256, 3)
        assert np.array_equal(np.reshape(pixels, (*values.shape, 4))[..., :3], palette[values])


def test_photo_is_swept_unless_motion_is_unwanted(show):
    page = show(KernelOnPhoto())
    page.get_by_role("button", name="Sweep").click()
    page.wait_for_function("/so far/.test(document.querySelector('.cnn-as-output .cnn-heading').textContent)")
    expect(page.locator(".cnn-result")).to_have_attribute("aria-live", "off")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".cnn-result")).to_have_attribute("aria-live", "polite")
    expect(page.locator(".cnn-as-output .cnn-heading")).to_contain_text("so far")
    page.get_by_role("application").press("ArrowLeft")  # whoever moves the kernel has seen enough
    expect(page.locator(".cnn-as-output .cnn-heading")).to_have_text("Map 62 × 62")
    expect(show(KernelOnPhoto(), reduced_motion="reduce").get_by_role("button", name="Sweep")).to_have_count(0)


def on_waves(page, panel, across, down):
    """Where on the screen a wave lies in a spectrum: of the picture, the kernel or the result."""
    box = page.get_by_role("application").nth(panel).locator("svg").bounding_box()
    return box["x"] + box["width"] * (across + 32.5) / 64, box["y"] + box["height"] * (down + 32.5) / 64


def near(across, down):
    """What is said of any of these waves: a finger is no closer than a wave or so."""
    waves = itertools.product(across, down)
    return re.compile("|".join(re.escape(Frequencies(wave=wave).sentence()) for wave in waves))


@MODES
def test_frequencies_by_mouse(show, mode):
    page = show(Frequencies(), mode)
    says(page, Frequencies())
    page.mouse.move(*on_waves(page, 0, 3, 4))
    page.mouse.down()
    for panel, wave in [(0, (20, -7)), (0, (-32, 31)), (0, (5, 5))]:
        page.mouse.move(*on_waves(page, panel, *wave))
        says(page, Frequencies(wave=wave))
    page.mouse.up()
    state = {"wave": (20, 3)}
    page.mouse.click(*on_waves(page, 2, 20, 3))
    for label, trait, value in [
        ("Kernel", "kernel", "vertical edge"),
        ("Operation", "operation", "every second pixel"),
        ("Picture", "picture", "one wave"),
        ("Operation", "operation", "zeros between"),
        ("Operation", "operation", "largest of 2 × 2"),
    ]:
        page.get_by_role("combobox", name=label).select_option(value)
        state[trait] = value
        says(page, Frequencies(**state))


def test_frequencies_by_key_and_by_finger(show):
    page = show(Frequencies(operation="every second pixel", wave=(31, 0)))
    for panel, key, wave in [(0, "ArrowRight", (31, 0)), (1, "ArrowLeft", (30, 0)), (2, "ArrowUp", (30, -1))]:
        page.get_by_role("application").nth(panel).press(key)
        says(page, Frequencies(operation="every second pixel", wave=wave))
    page = show(Frequencies(wave=(10, 0)), width=390, has_touch=True, is_mobile=True)
    page.get_by_role("application").first.scroll_into_view_if_needed()
    page.touchscreen.tap(*on_waves(page, 1, -20, 9))
    expect(result(page)).to_have_text(near((-21, -20, -19), (8, 9, 10)))
    at = [int(number) for number in re.findall(r"-?\d+", result(page).inner_text().replace("−", "-"))[:2]]
    swipe(page, [on_waves(page, 0, at[0] + step, at[1]) for step in range(20)])
    expect(result(page)).to_have_text(near(range(at[0] + 18, at[0] + 21), at[1:]))


@pytest.mark.parametrize("state", [{}, {"operation": "zeros between", "kernel": "outline"}])
def test_frequencies_have_pythons_colours(show, state):
    figure = Frequencies(**state)
    page = show(figure)
    seen = page.evaluate(PIXELS.replace(".cnn-scroll image", ".cnn-six image"))
    kinds = [(0, figure.source, False), (1, figure.levels, not figure.weights.sum())]
    for place, values, signed in kinds:
        palette = np.frombuffer(colours(signed), np.uint8).reshape(256, 3)
        assert np.array_equal(np.reshape(seen[place], (*values.shape, 4))[..., :3], palette[values])


def test_frequencies_mark_where_a_wave_ends_up(show):
    page = show(Frequencies(operation="zeros between", wave=(4, 0)))
    marks = [page.get_by_role("application").nth(panel).locator(".cnn-wave") for panel in range(3)]
    for panel, count in zip(marks, (1, 4, 4), strict=True):
        expect(panel).to_have_count(count)
    page.get_by_role("combobox", name="Operation").select_option("every second pixel")
    for panel in marks:
        expect(panel).to_have_count(1)
    page.get_by_role("application").first.press("ArrowRight")
    page.mouse.click(*on_waves(page, 0, 20, 0))
    for panel, place in zip(marks, (20, 20, -12), strict=True):
        expect(panel).to_have_attribute("x", f"{place + 30.5}")
    page.get_by_role("combobox", name="Operation").select_option("largest of 2 × 2")
    expect(marks[2]).to_have_count(0)


def on_pad(page, row, column):
    """Where on the screen a pixel of the drawing lies."""
    box = page.get_by_role("application").first.locator("svg").bounding_box()
    return box["x"] + box["width"] * (column + 0.5) / 28, box["y"] + box["height"] * (row + 0.5) / 28


def drawn(page):
    """What the page's address holds of the figure, 250 ms by the page's clock after the last stroke."""
    address = page.evaluate("new Promise((done) => setTimeout(() => done(location.hash), 400))")
    return json.loads(unquote(address.split("#figures=")[1]))["0"]


def strokes(page, places):
    page.mouse.move(*on_pad(page, *places[0]))
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*on_pad(page, *place), steps=4)
    page.mouse.up()


@MODES
def test_digit_by_mouse(show, mode):
    page = show(DrawDigit(), mode)
    says(page, DrawDigit())
    slide(page, "Turn, degrees", 180)
    page.get_by_role("button", name="Clear").click()
    says(page, DrawDigit(drawing=BLANK))
    strokes(page, [(6, 8), (6, 19), (22, 12)])
    expect(result(page)).to_contain_text("is read as a 7: probability")
    state = drawn(page)
    says(page, DrawDigit(**state))
    ink = DrawDigit(**state).pixels
    assert ink[6, 8:20].min() == ink[22, 12] == 255 and not ink[16:, :6].any()
    for label, trait, value in [("To the right", "right", 5), ("Down", "down", -3), ("Thickness", "thickness", 2)]:
        slide(page, label, value)
        state[trait] = value
        says(page, DrawDigit(**state))
    slide(page, "Turn, degrees", 180)
    page.get_by_label("Centre, as MNIST does").uncheck()
    state |= {"turn": 180, "centre": False}
    says(page, DrawDigit(**state))
    page.get_by_role("button", name="Sliders to 0").click()
    state = {"drawing": state["drawing"], "centre": False}
    says(page, DrawDigit(**state))
    page.get_by_label("Erase").check()
    strokes(page, [(6, 8), (6, 19), (22, 12)])
    says(page, DrawDigit(drawing=BLANK, centre=False))
    page.get_by_role("combobox", name="Digit").select_option(index=24)
    says(page, DrawDigit(digit=24, centre=False))


def test_digit_shows_what_is_behind_the_unit_that_is_clicked(show):
    page = show(DrawDigit())
    # Pixels of the maps' pictures, in which a column lies between two maps.
    clicks = [("C1", 6 * 29 - 1, 28, 33, 4, [1, 4, 4]), ("C3", 8 * 11 - 1, 21, 12, 15, [9, 1, 4])]
    for layer, across, down, row, column, unit in clicks:
        box = page.get_by_role("application", name=f"{layer}:").locator("svg").bounding_box()
        place = (column + 0.5, row + 0.5) if layer == "C3" else (row + 0.5, column + 0.5)
        page.mouse.click(box["x"] + box["width"] * place[0] / across, box["y"] + box["height"] * place[1] / down)
        figure = DrawDigit(layer=layer, unit=unit)
        says(page, figure)
        behind = figure.behind()
        total = (behind.reads * behind.weights).sum() + behind.bias
        shown = page.locator(".cnn-products").inner_text().replace("−", "-")
        assert float(re.search(r"= (\S+?);", shown).group(1)) == pytest.approx(total, abs=0.006)
        assert float(shown.split(" is ")[1]) == pytest.approx(figure.values[layer][tuple(unit)], abs=0.006)
    # C3's map once more, enlarged.
    page.locator(".cnn-panel", has_text="Map 10 of C3").locator("svg").click(position={"x": 168, "y": 56})
    says(page, DrawDigit(layer="C3", unit=[9, 2, 7]))
    unfold(page)
    expect(page.locator("table")).to_have_count(13)
    for index, words in enumerate(["Answers", "It reads, map 1", "Weights, map 1"]):
        expect(page.locator("caption").nth(index)).to_have_text(words)


def test_digit_by_key(show):
    page = show(DrawDigit(drawing=BLANK, layer="scores", unit=(0, 0, 0)))
    pad = page.get_by_role("application").first
    for key in ("ArrowLeft", "ArrowUp", "Space", *["ArrowDown"] * 5, "Space", *["ArrowRight"] * 5):
        pad.press(key)
    state = {"layer": "scores", **drawn(page)}
    ink = DrawDigit(**state).pixels
    assert (ink[13:19, 13] == 255).all() and not ink[:, 16:].any() and not ink[21:].any()
    says(page, DrawDigit(**{**state, "unit": (0, 0, 0)}))
    for name, keys, unit in [
        ("C1", ["ArrowRight"] * 28 + ["ArrowDown"], (1, 15, 14)),
        ("C1", ["ArrowLeft"] * 15, (0, 15, 27)),
        ("C3", ["ArrowDown"] * 10, (8, 5, 5)),
        ("S4", ["ArrowUp", "ArrowRight"], (0, 1, 3)),
        ("F6", ["ArrowDown"], (0, 4, 6)),
        ("Scores", ["ArrowRight"], (0, 0, 6)),
    ]:
        for key in keys:
            page.get_by_role("application", name=re.compile(f"^{name}")).press(key)
        layer = "scores" if name == "Scores" else name
        says(page, DrawDigit(**{**state, "layer": layer, "unit": unit}))


def test_digit_by_finger(show):
    page = show(DrawDigit(drawing=BLANK), width=390, has_touch=True, is_mobile=True)
    page.locator(".cnn-heading").first.scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    swipe(page, [on_pad(page, 4 + step, 14) for step in range(20)])
    expect(result(page)).to_contain_text("is read as a 1")
    assert page.evaluate("scrollY") == scrolled
    state = drawn(page)
    page.touchscreen.tap(*on_pad(page, 4, 4))  # a dot
    page.wait_for_function("before => !decodeURIComponent(location.hash).includes(before)", arg=state["drawing"])
    assert DrawDigit(**drawn(page)).pixels[4, 4] == 255
    # Beside the drawing a finger scrolls the page, and on a map as well.
    box = page.get_by_role("application", name="C1:").locator("svg").bounding_box()
    swipe(page, [(box["x"] + 100, box["y"] + 10 - 8 * step) for step in range(20)])
    page.wait_for_function("scrolled => scrollY > scrolled", arg=scrolled)


def loaded(page):
    """Ask for the network, and wait for it."""
    page.get_by_role("button", name="Load the network (5 MB)").click()
    page.get_by_role("button", name="Reset").wait_for()


def answered(page, start):
    """What the photo's figure says, as soon as that begins so."""
    expect(result(page)).to_have_text(re.compile(f"^{start}"))
    return result(page).inner_text()


def view(page):
    """The pixels that the network reads, (224, 224, 3), and how dense the film is over each of 7 × 7 places."""
    files = [
        base64.b64decode(node.get_attribute("href").split(",")[1]) for node in page.locator(".cnn-as-input image").all()
    ]
    pixels, film = (np.asarray(Image.open(io.BytesIO(file))) for file in files)
    return pixels[..., :3].astype(int), film[..., 3] / 217


def photograph(width, height, orientation=1, kind="JPEG"):
    """A file whose left half is red and whose right half is blue, as its camera saw it."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0] = pixels[:, width // 2 :, 2] = 220
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(file, kind, exif=exif)
    return file.getvalue()


def give(page, content, kind="image/jpeg", name="holiday.jpg"):
    """Choose a file."""
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": kind, "buffer": content})


def test_own_photo_answers_as_python_has_stored_and_needs_no_network_then(show):
    page = show(YourPhoto())
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    before, film = view(page)
    heat = np.reshape(YourPhoto().still["heat"][0], (7, 7))
    assert np.allclose(film, YourPhoto().panels()[0].photo.film, atol=0.01) and film.max() == 1
    loaded(page)
    assert [url.split("/")[-1] for url in requests if not url.startswith(("data:", "blob:"))] == ["your_photo.data.js"]
    page.context.set_offline(True)
    del requests[:]
    assert answered(page, "Photo of a cat") == YourPhoto().sentence()
    after, film = view(page)
    assert abs(after - before).mean() < 5  # the picture of before is a smaller file
    assert np.allclose(film, np.maximum(heat - heat.mean(), 0) / (heat.max() - heat.mean()), atol=0.02)
    for sample in efficientnet.SAMPLES[:0:-1]:
        page.get_by_role("combobox", name="Photo").select_option(sample)
        assert answered(page, f"Photo of {sample}:") == YourPhoto(sample).sentence()
    expect(page.locator(".cnn-credit").first).to_contain_text("Rachel Michetti")
    assert [url for url in requests if not url.startswith(("data:", "blob:"))] == []
    page.context.set_offline(False)


def test_own_photo_by_key(show, axe):
    page = show(YourPhoto())
    load = page.get_by_role("button", name="Load the network (5 MB)")
    load.press("Enter")
    page.get_by_role("button", name="Reset").wait_for()
    expect(page.locator("select:focus")).to_have_count(1)  # where the button was is nothing now
    start = answered(page, "Photo of a cat: ")
    pixels, _ = view(page)
    pad = page.get_by_role("application", name="Photograph: the arrow keys shift it")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp", "ArrowUp"):
        pad.press(key)
    said = answered(page, "Photo of a cat, changed: ")
    assert said.endswith("; unchanged it was Egyptian cat 37 %.")
    moved, _ = view(page)
    assert np.array_equal(moved[:-4, 8:], pixels[4:, :-8])
    for label, key in (("Turn, degrees", "End"), ("Zoom, %", "Home"), ("Blur, pixels", "ArrowRight")):
        page.get_by_label(label).press(key)
    expect(result(page)).not_to_have_text(said)
    for label, value in (("Turn, degrees", "180"), ("Zoom, %", "50"), ("Blur, pixels", "1")):
        expect(page.get_by_label(label)).to_have_value(value)
    page.get_by_role("button", name="Reset").press("Enter")
    assert answered(page, "Photo of a cat: ") == start
    assert np.array_equal(view(page)[0], pixels)
    tabby = page.get_by_role("button", name=re.compile("^tabby"))
    tabby.press("Enter")
    expect(page.locator(".cnn-as-input .cnn-heading")).to_contain_text("of tabby")
    pressed = page.locator("[aria-pressed=true]")
    assert pressed.inner_text().startswith("tabby")
    expect(pressed).to_be_focused()
    kept = YourPhoto().still
    place = [name for _, name, _ in kept["likeliest"]].index("tabby")
    heat = np.array(kept["heat"][place]).reshape(7, 7)
    assert np.allclose(view(page)[1], np.maximum(heat - heat.mean(), 0) / (heat.max() - heat.mean()), atol=0.02)
    tabby.press("Enter")
    expect(page.locator(".cnn-as-input .cnn-heading")).to_contain_text("of Egyptian")
    page.get_by_label("Heat map").press("Space")
    expect(page.locator("image").last).to_have_css("display", "none")
    page.locator("summary").press("Enter")
    expect(page.locator("caption")).to_have_text(["The five likeliest", "Heat map of Egyptian cat"])
    assert axe(page) == []
    controls = page.locator(":is(input, button, select, [tabindex]):not([data-lm-suppress-shortcuts='true'])")
    expect(controls).to_have_count(0)


def test_own_photo_by_finger_and_by_mouse(show, axe):
    page = show(YourPhoto(), "dark", width=390, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="Load the network (5 MB)").tap()
    answered(page, "Photo of a cat")
    page.get_by_role("button", name="Reset").wait_for()
    assert page.evaluate(SMALL_TARGETS) == page.evaluate(SMALL_TEXT) == axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    turn = page.get_by_label("Turn, degrees")
    turn.scroll_into_view_if_needed()
    box = turn.bounding_box()
    page.touchscreen.tap(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    answered(page, "Photo of a cat, changed: ")
    assert 80 <= int(turn.input_value()) <= 105
    # On the photograph a finger scrolls the page.
    page.evaluate("scrollTo(0, 0)")
    box = page.get_by_role("application").bounding_box()
    swipe(page, [(box["x"] + 100, box["y"] + 250 - 10 * step) for step in range(20)])
    page.wait_for_function("scrollY > 0")
    expect(page.get_by_label("Down, pixels")).to_have_value("0")
    page = show(YourPhoto())
    loaded(page)
    answered(page, "Photo of a cat")
    box = page.get_by_role("application").locator("svg").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 100 + box["width"] / 4, box["y"] + 100 - box["width"] / 8, steps=3)
    page.mouse.up()
    answered(page, "Photo of a cat, changed: ")
    for label, value in (("Across, pixels", "56"), ("Down, pixels", "-28")):
        expect(page.get_by_label(label)).to_have_value(value)


def test_own_photo_stands_upright_and_stays_in_the_page(show):
    page = show(YourPhoto())
    loaded(page)
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    upright = {1: [(112, 40), (112, 180)], 6: [(40, 112), (180, 112)]}
    for orientation, (red, blue) in upright.items():
        page.get_by_label("Turn, degrees").press("End")  # for the photo before: one's own comes untouched
        give(page, photograph(900, 600, orientation))
        answered(page, "Your photo: ")
        pixels, _ = view(page)
        assert abs(pixels[red] - [220, 0, 0]).max() < 30 and abs(pixels[blue] - [0, 0, 220]).max() < 30, orientation
        page.get_by_role("combobox", name="Photo").select_option("a rocket")
        answered(page, "Photo of a rocket: ")
    # Dropped or pasted.
    for event, holder in (("drop", "dataTransfer"), ("paste", "clipboardData")):
        page.evaluate(
            """async ([event, holder, text]) => {
          const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], "mine.png", { type: "image/png" }));
          const Kind = event === "drop" ? DragEvent : ClipboardEvent;
          const given = new Kind(event, { bubbles: true, cancelable: true, [holder]: data });
          document.querySelector(".cnn-figure .cnn-button:not([hidden])").dispatchEvent(given);
        }""",
            [event, holder, base64.b64encode(photograph(400, 300, kind="PNG")).decode()],
        )
        answered(page, "Your photo: ")
        expect(page.get_by_role("combobox", name="Photo")).to_have_value("your own")
        page.get_by_role("combobox", name="Photo").select_option("a rocket")
        answered(page, "Photo of a rocket: ")
    assert [url for url in requests if not url.startswith(("data:", "blob:"))] == []
    assert "mine" not in page.url and len(page.url) < 400


def png(width, height, **more):
    """A file of few bytes, however large the picture."""
    file = io.BytesIO()
    Image.new("1", (width, height)).save(file, "PNG", **more)
    return file.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><image href="http://127.0.0.1:1/x.png"/></svg>'
HOSTILE = [
    (b"", "image/png", "a.png", "The file is empty."),
    (b"not a picture", "image/png", "a.png", "This browser finds no picture in the file."),
    (photograph(90, 90)[:300], "image/jpeg", "a.jpg", "This browser finds no picture in the file."),
    (b"\0\0\0\x18ftypheic", "image/heic", "a.heic", "This browser cannot read HEIC. Save the photo as JPEG first."),
    (b"<script>alert(1)</script>", "text/html", "a.html", "This browser finds no picture in the file."),
    (SVG, "image/svg+xml", "a.svg", "An SVG file holds a drawing, not a photo's pixels. Save it as PNG first."),
    (png(10_000, 10_000), "image/png", "a.png", "The picture has 100 megapixels; at most 64 are read."),
    (png(3000, 2), "image/png", "a.png", "The picture has 3000 × 2 pixels; each side needs 16."),
]


def test_own_photo_says_what_it_cannot_read(show):
    page = show(YourPhoto())
    loaded(page)
    before = answered(page, "Photo of a cat")
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    status = page.locator(".cnn-figure [role=status]")
    for content, kind, name, words in HOSTILE:
        give(page, content, kind, name)
        expect(status).to_have_text(words)
        expect(result(page)).to_have_text(before)
        page.get_by_role("combobox", name="Photo").select_option("a cat")
    # What can be shown is shown, and what was done to it is said.
    give(page, png(3000, 20, transparency=0), "image/png")
    answered(page, "Your photo: ")
    expect(status).to_have_text("Where it is transparent the network sees gray.")
    assert (view(page)[0] == 127).all()
    page.get_by_role("combobox", name="Photo").select_option("a cat")
    answered(page, "Photo of a cat")
    moving = io.BytesIO()
    frames = [Image.new("RGB", (60, 60), colour) for colour in ("red", "blue")]
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:], duration=10, loop=0)
    give(page, moving.getvalue(), "image/gif", "a.gif")
    answered(page, "Your photo: ")
    expect(status).to_have_text("Of a moving picture it reads the first moment.")
    assert [url for url in requests if not url.startswith(("data:", "blob:"))] == []


def test_own_photo_says_why_it_has_no_network(show, tmp_path):
    page = show(YourPhoto())
    (tmp_path / "your_photo.data.js").unlink()
    page.get_by_role("button", name="Load the network (5 MB)").click()
    page.get_by_text("The network could not be loaded. Is this computer offline?").wait_for()
    page.complaints[:] = [words for words in page.complaints if "ERR_FILE_NOT_FOUND" not in words]
    (tmp_path / "your_photo.data.js").write_text(parcel("your_photo"), encoding="utf-8")
    page.evaluate("() => { WebAssembly.compile = () => Promise.reject(new Error('no SIMD')); }")
    page.get_by_role("button", name="Load the network (5 MB)").click()
    page.get_by_text("This browser cannot run the network: it has no WebAssembly with SIMD.").wait_for()
    says(page, YourPhoto())


def test_stepper_shows_the_controls_that_were_named(show):
    page = show(KernelStepper(controls=["image", "kernel"]))
    expect(page.get_by_role("slider")).to_have_count(0)
    expect(page.get_by_role("combobox")).to_have_count(2)
    expect(page.locator(".cnn-formula")).to_have_count(0)
    says(page, KernelStepper())


@MODES
def test_matrix_by_mouse(show, mode):
    page = show(ConvolutionMatrix(), mode)
    says(page, ConvolutionMatrix())
    pixel = page.get_by_role("application", name="Input").locator(".cnn-cell").nth(5)
    pixel.hover()
    says(page, ConvolutionMatrix(side="input", index=5))
    page.mouse.move(2, 2)
    says(page, ConvolutionMatrix())
    pixel.click()
    page.mouse.move(2, 2)
    says(page, ConvolutionMatrix(side="input", index=5))
    page.locator(".cnn-matrix .cnn-cell").last.click()  # in M's last row
    page.mouse.move(2, 2)
    says(page, ConvolutionMatrix(index=3))
    page.get_by_label("Transpose: Mᵀ").check()
    says(page, ConvolutionMatrix(transposed=True, side="input"))
    state = {"transposed": True, "side": "input"}
    for label, trait, value in [
        ("Input size W", "size", 6),
        ("Kernel size F", "kernel_size", 4),
        ("Stride S", "stride", 2),
        ("Padding p", "padding", 2),
    ]:
        slide(page, label, value)
        state[trait] = value
        says(page, ConvolutionMatrix(**state))


@MODES
def test_matrix_by_key(show, mode):
    page = show(ConvolutionMatrix(padding=1), mode)
    grids = {
        side: page.get_by_role("application", name=name) for side, name in (("input", "Input"), ("output", "Output"))
    }
    for side, key, index in [
        ("output", "ArrowRight", 1),
        ("output", "ArrowDown", 5),
        ("input", "ArrowRight", 1),
        ("input", "ArrowDown", 5),
    ]:
        grids[side].press(key)
        says(page, ConvolutionMatrix(padding=1, side=side, index=index))
    page.get_by_label("Stride S").press("ArrowRight")
    says(page, ConvolutionMatrix(padding=1, stride=2, side="input", index=5))


def test_matrix_counts_what_it_shares(show):
    page = show(ConvolutionMatrix())
    shared = "M has 4 × 16 = 64 entries; 36 are not zero, and they hold only 9 different weights."
    expect(page.locator(".cnn-formula")).to_have_text(shared)
    products = "1·3 + 2·0 + 3·7 + 4·1 + 5·8 + 6·5 + 7·9 + 8·6 + 9·3 = 236"
    expect(page.locator(".cnn-products")).to_have_text(products, use_inner_text=True)


@MODES
def test_transposed_by_mouse(show, mode):
    page = show(TransposedConvolution(), mode)
    says(page, TransposedConvolution())
    page.get_by_role("application", name="Input").locator(".cnn-cell").last.click()
    state = {"position": (2, 2)}
    says(page, TransposedConvolution(**state))
    for label, trait, value in [
        ("Padding p", "padding", 1),
        ("Input size W", "size", 4),
        ("Kernel size F", "kernel_size", 4),
        ("Stride S", "stride", 3),
        ("Output padding", "output_padding", 2),
    ]:
        slide(page, label, value)
        state[trait] = value
        says(page, TransposedConvolution(**state))
    page.get_by_role("combobox", name="Image").select_option("one pixel")
    page.get_by_role("combobox", name="Kernel").select_option("ones")
    state |= {"image": "one pixel", "kernel": "ones", "position": (0, 0)}
    for view in ("insert zeros", "count copies"):
        page.get_by_role("combobox", name="View").select_option(view)
        state["view"] = view
        says(page, TransposedConvolution(**state))
    page.locator(".cnn-pad .cnn-cell").last.click()
    says(page, TransposedConvolution(**{**state, "position": (12, 12)}))
    page.get_by_role("button", name="Step").click()
    says(page, TransposedConvolution(**state))


@MODES
def test_transposed_by_key(show, mode):
    page = show(TransposedConvolution(padding=1), mode)
    for view in ("scatter", "insert zeros", "count copies"):
        page.get_by_role("combobox", name="View").select_option(view)
        grid = page.get_by_role("application").first  # in "scatter" the input, else the output
        for key, position in [
            ("ArrowRight", (0, 1)),
            ("ArrowDown", (1, 1)),
            ("ArrowLeft", (1, 0)),
            ("ArrowUp", (0, 0)),
        ]:
            grid.press(key)
            says(page, TransposedConvolution(padding=1, view=view, position=position))
    page.get_by_label("Output padding").press("ArrowRight")
    says(page, TransposedConvolution(padding=1, output_padding=1, view="count copies"))


def test_transposed_lays_down_copies_and_says_what_made_an_output(show):
    page = show(TransposedConvolution(padding=1))
    output = page.get_by_role("application", name="Output")
    laid = output.locator("text.cnn-value").filter(has_text=re.compile(r"\S"))
    expect(laid).to_have_count(9)  # the first copy, cropped cells too
    expect(page.locator(".cnn-heading").last).to_have_text("Output 5 × 5 so far, cropped by 1 on every side")
    output.locator(".cnn-as-output.cnn-cell").nth(6).click()  # row 2, column 2
    state = {"padding": 1, "asked": (1, 1)}
    says(page, TransposedConvolution(**state))
    expect(result(page)).to_contain_text("Output row 2, column 2: 3·9 = 27, 3 terms to come.")
    for position in [(0, 1), (0, 2), (1, 0), (1, 1)]:
        page.get_by_role("button", name="Step").click()
        says(page, TransposedConvolution(**state, position=position))
    page.get_by_role("button", name="Lay down all").click()
    expect(laid).to_have_count(49)
    expect(page.locator(".cnn-heading").last).to_have_text("Output 5 × 5, cropped by 1 on every side")
    output.press("ArrowRight")
    done = TransposedConvolution(padding=1, position=(2, 2), asked=(1, 2))
    says(page, done)
    assert done.sentence().endswith("0·8 + 1·2 = 2.")
    page.get_by_role("combobox", name="View").select_option("count copies")
    expect(page.get_by_role("button", name="Lay down all")).to_be_hidden()


def test_transposed_says_which_sizes_it_could_have_come_from(show):
    page = show(TransposedConvolution(stride=3, padding=1, output_padding=1))
    size, even = page.locator(".cnn-formula").all_inner_texts()
    assert size == (
        "(3 − 1)·3 − 2·1 + 3 + 1 = 8. A convolution with this kernel, stride and padding makes 3 of 7, 8 or 9: "
        "the output padding chooses which."
    )
    assert even.startswith("3 is a multiple of 3: away from the border every output lies under 1.")
    slide(page, "Output padding", 0)
    slide(page, "Stride S", 1)
    expect(page.locator(".cnn-formula").first).to_contain_text("makes 3 of 3.")
    slide(page, "Stride S", 2)
    expect(page.locator(".cnn-formula").last).to_contain_text("counts alternate")
    products = "3·1, 3·2, 3·3 3·4, 3·5, 3·6 3·7, 3·8, 3·9"
    expect(page.locator(".cnn-products")).to_have_text(products, use_inner_text=True)
    page.get_by_role("combobox", name="View").select_option("insert zeros")
    page.get_by_role("application").press("ArrowRight")
    expect(page.locator(".cnn-products")).to_have_text("6·3 + 4·0 = 18")


@MODES
def test_mixer_by_mouse(show, mode):
    page = show(ChannelMixer(), mode)
    says(page, ChannelMixer())
    output = page.get_by_role("application").get_by_text("output 3")
    output.hover()
    says(page, ChannelMixer(channel=2))
    page.mouse.move(2, 2)
    says(page, ChannelMixer())
    output.click()
    page.mouse.move(2, 2)
    says(page, ChannelMixer(channel=2))
    page.locator(".cnn-tile.cnn-as-kernel").last.click()  # the last row's
    says(page, ChannelMixer(channel=3))
    state = {"channel": 3}
    for label, trait, value in [
        ("Groups G", "groups", 3),
        ("Channels in C", "in_channels", 6),
        ("Channels out K", "out_channels", 3),
        ("Kernel size F", "kernel_size", 2),
        ("Groups G", "groups", 1),
    ]:
        slide(page, label, value)
        state[trait] = value
        says(page, ChannelMixer(**state))


@MODES
def test_mixer_by_key(show, mode):
    page = show(ChannelMixer(groups=2), mode)
    grid = page.get_by_role("application")
    for key, channel in [("ArrowDown", 1), ("ArrowDown", 2), ("ArrowRight", 2), ("ArrowUp", 1), ("ArrowUp", 0)]:
        grid.press(key)
        says(page, ChannelMixer(groups=2, channel=channel))
    page.get_by_label("Kernel size F").press("ArrowLeft")
    says(page, ChannelMixer(groups=2, kernel_size=2))


SLIDING = {"in_channels": 3, "out_channels": 2, "size": 5, "controls": ["in_channels", "out_channels"]}


def on_channel(page, channel, row, column):
    """Where on the screen the middle of a cell of an input channel lies."""
    boxes = page.locator(".cnn-tile.cnn-as-input .cnn-border")
    box = boxes.nth(25 * channel + 5 * row + column).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@MODES
def test_mixer_slides_through_all_channels(show, axe, mode):
    page = show(ChannelMixer(**SLIDING), mode)
    page.mouse.move(*on_channel(page, 1, 1, 1))
    page.mouse.down()
    for place, position in {(2, 3): (1, 2), (4, 4): (2, 2), (0, 2): (0, 1)}.items():
        page.mouse.move(*on_channel(page, 2, *place))
        says(page, ChannelMixer(**SLIDING, position=position))
    page.mouse.up()
    frames = page.locator(".cnn-marks > .cnn-frame")
    assert len({round(frame.bounding_box()["y"]) for frame in frames.all()}) == 1
    expect(frames).to_have_count(3)
    grid = page.get_by_role("application")
    for key, position, channel in [("ArrowRight", (0, 2), 0), ("ArrowDown", (0, 2), 1), ("ArrowRight", (1, 0), 1)]:
        grid.press(key)
        now = ChannelMixer(**SLIDING, position=position, channel=channel)
        says(page, now)
    page.get_by_role("button", name="Step").click()
    now.position = [1, 1]
    says(page, now)
    terms = page.locator(".cnn-products").inner_text().replace("\xa0", " ").split("\n")
    assert [line.split(" = ")[1] for line in terms[:3]] == [f"{part}".replace("-", "−") for part in now.parts[1]]
    assert terms[3].endswith(f" = {now.outputs[1, 1, 1]}".replace("-", "−"))
    for label in ("Groups G", "Kernel size F"):
        expect(page.get_by_label(label)).to_have_count(0)
    assert page.evaluate(SMALL_TEXT) == page.evaluate(FAINT_TEXT) == axe(page) == []


def test_mixer_slides_under_a_finger(show):
    page = show(ChannelMixer(**SLIDING), width=390, has_touch=True, is_mobile=True)
    page.get_by_role("application").scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    swipe(page, [on_channel(page, 0, 1, 1), on_channel(page, 0, 2, 2), on_channel(page, 0, 3, 3)])
    says(page, ChannelMixer(**SLIDING, position=(2, 2)))
    assert page.evaluate("scrollY") == scrolled
    grid = page.get_by_role("application")
    assert grid.evaluate("node => node.scrollWidth <= node.clientWidth")  # three channels fit a telephone


def test_mixer_shows_who_reads_whom_and_names_it(show):
    page = show(ChannelMixer(groups=2, channel=2))
    grid = page.get_by_role("application")
    expect(grid.locator(".cnn-tile.cnn-as-kernel")).to_have_count(8)
    expect(grid.locator(".cnn-apart")).to_have_count(8)
    expect(grid.locator(".cnn-marks > .cnn-frame")).to_have_count(2)  # on the inputs that are read
    terms = page.locator(".cnn-products").inner_text().replace("\xa0", " ").split("\n")
    assert terms == [
        "input 3: −2·0 + −2·1 + 0·0 + 2·2 + 1·2 + −1·1 + 0·2 + −1·1 + 1·3 = 5",
        "input 4: 2·3 + 1·1 + −2·2 + −1·1 + 2·2 + −1·2 + −1·0 + −2·1 + 0·0 = 2",
        "in all: 5 + 2 = 7",
    ]
    unfold(page)
    sums = page.get_by_role("row", name="output 3")
    expect(sums.nth(1).locator("td")).to_have_text(["none", "none", "5", "2", "7"])
    facts = page.locator(".cnn-formula")
    expect(facts).to_have_text(re.compile(r"^Grouped convolution.* 1/2 of the 144 weights that groups = 1 has\.$"))
    for label, value, name in [
        ("Groups G", 4, "Depthwise convolution"),
        ("Kernel size F", 1, "Depthwise and 1 × 1"),
        ("Groups G", 1, "1 × 1 convolution"),
        ("Channels in C", 1, "One input channel"),
        ("Groups G", 2, "Every group needs"),
    ]:
        slide(page, label, value)
        expect(facts).to_have_text(re.compile(f"^{name}"))
    expect(result(page)).to_have_text("Groups must divide in_channels: 1 is not a multiple of 2.")
    expect(page.locator(".cnn-panels")).to_be_hidden()


@MODES
def test_ledger_by_mouse(show, mode):
    page = show(LayerLedger(), mode)
    expect(result(page)).to_contain_text("760 parameters")
    expect(result(page)).to_contain_text("31,467,520 parameters")
    expect(page.locator(".cnn-dense")).to_contain_text("41,405 times as many")
    conv = {"kind": "conv", "out_channels": 10, "kernel_size": 5, "padding": 2}
    flatten, linear = {"kind": "flatten"}, {"kind": "linear", "out_features": 10}
    page.get_by_role("button", name="+ Flatten").click()
    page.get_by_role("button", name="+ Dense layer").click()
    says(page, LayerLedger(layers=[conv, flatten, linear]))
    page.get_by_role("button", name="Move up layer 3").click()
    says(page, LayerLedger(layers=[conv, linear, flatten]))
    refused = "⚠ A dense layer takes a flat input, got 10 × 32 × 32: flatten first."
    expect(page.locator(".cnn-error")).to_have_text(refused)
    expect(page.locator(".cnn-layers > li").last.locator("strong")).to_have_text(["–"] * 4)
    page.get_by_role("button", name="Remove layer 2").click()
    says(page, LayerLedger(layers=[conv, flatten]))


@MODES
def test_ledger_by_key(show, mode):
    page = show(LayerLedger(), mode)
    channels = page.get_by_label("Layer 1 out channels")
    channels.press("ArrowUp")
    state = {"kind": "conv", "out_channels": 11, "kernel_size": 5, "padding": 2}
    says(page, LayerLedger(layers=[state]))
    for label, trait, value in [
        ("kernel size", "kernel_size", 3),
        ("stride", "stride", 2),
        ("dilation", "dilation", 2),
        ("groups", "groups", 2),
    ]:
        page.get_by_label(f"Layer 1 {label}").fill(str(value))
        state[trait] = value
        says(page, LayerLedger(layers=[state]))
    page.get_by_label("Input channels").fill("4")
    channels.fill("12")
    state["out_channels"] = 12
    says(page, LayerLedger(input=(4, 32, 32), layers=[state]))
    code = page.locator(".cnn-code").inner_text()
    assert "nn.Conv2d(4, 12, 3, stride=2, padding=2, dilation=2, groups=2)," in code
    channels.fill("0")
    channels.press("Tab")
    expect(channels).to_have_value("1")  # the least; the field shows what was taken


@MODES
def test_pooling_by_mouse(show, mode):
    page = show(Pooling(), mode)
    says(page, Pooling())
    pixel = page.get_by_role("application", name="Input").locator(".cnn-cell").nth(8)
    pixel.hover()
    says(page, Pooling(side="input", position=(1, 2)))
    page.mouse.move(2, 2)
    says(page, Pooling())
    pixel.click()
    page.mouse.move(2, 2)
    says(page, Pooling(side="input", position=(1, 2)))
    # A gradient at the output is chosen with its output.
    page.get_by_role("group", name="Gradient at output").locator(".cnn-cell").nth(5).click()
    page.mouse.move(2, 2)
    state = {"position": [1, 2]}
    says(page, Pooling(**state))
    for label, trait, value in [
        ("Kernel size F", "kernel_size", 3),
        ("Padding p", "padding", 1),
        ("Stride S", "stride", 4),
        ("Input size W", "size", 7),
    ]:
        slide(page, label, value)
        state[trait] = value
        says(page, Pooling(**{"stride": 2, **state}))
    page.get_by_label("Round the size up").check()
    page.get_by_role("combobox", name="Pooling").select_option("average")
    page.get_by_role("combobox", name="Image").select_option("negative")
    state |= {"ceil_mode": True, "kind": "average", "image": "negative"}
    says(page, Pooling(**state))
    expect(page.locator(".cnn-formula").last).to_have_text(Pooling(**state).facts())


@MODES
def test_pooling_by_key(show, mode):
    page = show(Pooling(kernel_size=3, stride=2, size=7), mode)
    grids = {side: page.get_by_role("application", name=side.title()) for side in ("input", "output")}
    for side, key, position in [
        ("output", "ArrowRight", (0, 1)),
        ("output", "ArrowDown", (1, 1)),
        ("input", "ArrowRight", (0, 1)),
        ("input", "ArrowDown", (1, 1)),
        ("input", "ArrowLeft", (1, 0)),
        ("input", "ArrowUp", (0, 0)),
    ]:
        grids[side].press(key)
        says(page, Pooling(kernel_size=3, stride=2, size=7, side=side, position=position))
    page.get_by_label("Kernel size F").press("ArrowLeft")
    says(page, Pooling(kernel_size=2, stride=2, size=7, side="input"))


def test_pooling_shows_the_sum_the_winners_and_what_is_put_back(show):
    page = show(Pooling(size=7, kernel_size=3, stride=2, side="input", position=(4, 0)))
    expect(page.locator(".cnn-formula")).to_have_text(
        [
            "gradient = 4 + 7 = 11",
            "7 of 49 pixels get a gradient. Its sum is 45 at the output and 45 at the input: nothing is lost.",
        ]
    )
    expect(page.locator(".cnn-strong")).to_have_count(7)
    unpooled = page.get_by_role("group", name="Unpooled")
    expect(unpooled.locator(".cnn-as-output .cnn-value")).to_have_text(["8", "7", "9", "6", "8", "9", "9"])
    page.get_by_role("combobox", name="Pooling").select_option("average")
    expect(unpooled).to_be_hidden()
    expect(page.locator(".cnn-formula").first).to_have_text("gradient = 4/9 + 7/9 ≈ 1.22")
    page.get_by_role("application", name="Output").locator(".cnn-cell").first.click()
    expect(page.locator(".cnn-formula").first).to_have_text("(3 + 6 + 5 + 0 + 7 + 0 + 5 + 6 + 3) / 9 ≈ 3.89")


@pytest.mark.parametrize(
    ("settings", "written"),
    [({"padding": 1}, "−∞"), ({"padding": 1, "kind": "average"}, "0"), ({"ceil_mode": True}, "−∞")],
)
def test_pooling_writes_what_its_padding_is(show, settings, written):
    page = show(Pooling(size=5, **settings))
    cells = page.get_by_role("application", name="Input").locator(".cnn-as-padding .cnn-value")
    assert set(cells.all_text_contents()) == {written}
    assert cells.count() == 7 * 7 - 25 if "padding" in settings else 6 * 6 - 25


CHAIN = ReceptiveFieldTower().layers


@MODES
def test_tower_by_mouse(show, mode):
    page = show(ReceptiveFieldTower(), mode)
    says(page, ReceptiveFieldTower())
    cells = page.get_by_role("application").locator(".cnn-cell")
    unit = cells.nth(16 + 16 + 5)  # above the pixels and layer 1
    unit.hover()
    says(page, ReceptiveFieldTower(layer=1, position=5))
    page.mouse.move(2, 2)
    says(page, ReceptiveFieldTower())
    unit.click()
    page.mouse.move(2, 2)
    says(page, ReceptiveFieldTower(layer=1, position=5))
    cells.nth(6).click()
    page.mouse.move(2, 2)
    says(page, ReceptiveFieldTower(side="input", position=6))
    expect(page.locator(".cnn-bracket")).to_have_count(0)
    slide(page, "Input size W", 20)
    says(page, ReceptiveFieldTower(size=20, side="input", position=6))
    page.get_by_role("button", name="Next").click()
    layers = [dict(layer) for layer in CHAIN]
    for name, value in [("dilation", 2), ("padding", 2), ("stride", 3), ("kernel", 4)]:
        page.get_by_role("group", name="Layer 2").get_by_label(name).select_option(str(value))
        layers[1][{"kernel": "kernel_size"}.get(name, name)] = value
        says(page, ReceptiveFieldTower(size=20, layers=layers, side="input", position=7))


@MODES
def test_tower_by_key(show, mode):
    page = show(ReceptiveFieldTower(), mode)
    tower = page.get_by_role("application")
    for key, state in [
        ("ArrowRight", {"layer": 2, "position": 4}),
        ("ArrowDown", {"layer": 1, "position": 4}),
        ("ArrowDown", {"layer": 0, "position": 8}),
        ("ArrowLeft", {"layer": 0, "position": 7}),
        ("ArrowDown", {"side": "input", "position": 7}),
        ("ArrowDown", {"side": "input", "position": 7}),
        ("ArrowUp", {"layer": 0, "position": 7}),
    ]:
        tower.press(key)
        says(page, ReceptiveFieldTower(**state))
    page.get_by_role("group", name="Layer 1").get_by_label("stride").press("ArrowDown")
    layers = [{**CHAIN[0], "stride": 2}, *CHAIN[1:]]
    says(page, ReceptiveFieldTower(layers=layers, layer=0, position=7))


def test_tower_grows_by_a_layer_until_it_is_full_and_shrinks_to_none(show):
    page = show(ReceptiveFieldTower())
    add = page.get_by_role("button", name="+ Layer")
    layers = [*CHAIN]
    while len(layers) < 6:
        add.click()
        layers.append({"kernel_size": 3, "padding": 1})
        expect(result(page)).to_have_text(ReceptiveFieldTower(layers=layers).sentence())  # the middle of the new top
        last = page.get_by_role("group", name=f"Layer {len(layers)}")
        expect(last.get_by_label("kernel")).to_be_focused()
    expect(add).to_be_disabled()
    for number in (6, 2, 1, 3, 2):
        page.get_by_role("button", name=f"Remove layer {number}").press("Enter")
        del layers[number - 1]
        label = f"Remove layer {min(number, len(layers))}"
        expect(page.locator(":focus")).to_have_attribute("aria-label", label)
        expect(page.get_by_role("group", name=re.compile(r"^Layer \d$"))).to_have_count(len(layers))
    page.get_by_role("button", name="Remove layer 1").press("Enter")
    expect(result(page)).to_have_text("No layer yet: every pixel sees only itself.")
    expect(page.locator(":focus")).to_have_text("+ Layer")


def test_tower_lights_what_is_read_and_counts_the_paths(show):
    page = show(ReceptiveFieldTower(position=0))
    tower = page.get_by_role("application")
    expect(tower.locator(".cnn-lit .cnn-value")).to_have_text(list("344211211111"))
    expect(tower.locator(".cnn-as-padding")).to_have_count(4 + 1 + 1)
    expect(tower.locator(".cnn-strong")).to_have_count(1)
    expect(tower.get_by_text("9 pixels, −3 … 5")).to_be_visible()
    formula = page.locator(".cnn-formula")
    expect(formula).to_have_text("Layer 3: field 5 + 1·(3 − 1)·2 = 9, jump 2·1 = 2, start −2 − 1·2 = −4.")
    fields = page.get_by_role("group", name="Receptive fields")
    assert fields.locator("tbody tr").last.inner_text().split() == ["3", "3", "8", "9", "2", "−4"]
    unfold(page)
    paths = page.get_by_role("row", name="pixels").last.locator("td")
    expect(paths).to_have_text("1: 3, 2: 4, 3: 4, 4: 2, 5: 1")
    # Between two taps of a dilated kernel lie pixels that no path reaches.
    page = show(ReceptiveFieldTower(layers=[{"kernel_size": 3, "dilation": 3}]))
    expect(page.locator(".cnn-unread")).to_have_count(4)
    # The field goes on where the drawing ends.
    page = show(ReceptiveFieldTower(size=32, layers=[{"kernel_size": 7, "stride": 4, "padding": 3}] * 6))
    assert page.locator(".cnn-bracket").get_attribute("d").count("v") == 0
    page = show(ReceptiveFieldTower(layers=[{"kernel_size": 1, "padding": 3}] * 4, position=0))
    assert re.fullmatch(r"M([\d.]+),[\d.]+H\1", page.locator(".cnn-bracket").get_attribute("d"))  # none of it is there


def test_tower_by_finger(show):
    layers = [{"kernel_size": 3, "padding": 1}] * 6
    page = show(ReceptiveFieldTower(size=32, layers=layers), width=390, has_touch=True, is_mobile=True)
    tower = page.get_by_role("application")
    third = tower.locator(".cnn-cell").nth(32 * 3)  # the first unit of layer 3
    tower.scroll_into_view_if_needed()
    assert tower.bounding_box()["height"] / 7 >= 44  # a row is as high as a finger
    touch = page.context.new_cdp_session(page)

    def place(unit, down=0):
        box = third.bounding_box()
        pitch = tower.locator(".cnn-cell").nth(32 * 3 + 1).bounding_box()["x"] - box["x"]
        return {"x": box["x"] + box["width"] / 2 + unit * pitch, "y": box["y"] + box["height"] / 2 + down}

    def drag(start, end):
        for step in range(11):
            point = {axis: start[axis] + (end[axis] - start[axis]) * step / 10 for axis in "xy"}
            kind = "touchMove" if step else "touchStart"
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
            page.wait_for_timeout(16)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    page.touchscreen.tap(*place(9, down=21).values())
    says(page, ReceptiveFieldTower(size=32, layers=layers, layer=2, position=9))
    page.get_by_role("button", name="Previous").tap()
    says(page, ReceptiveFieldTower(size=32, layers=layers, layer=2, position=8))
    tower.scroll_into_view_if_needed()
    drag(place(9), place(20))
    chosen = ReceptiveFieldTower(size=32, layers=layers, layer=2, position=20).sentence()
    expect(result(page)).to_have_text(chosen)
    before = page.evaluate("scrollY")
    drag(place(4), place(4, down=150))  # scrolls the page and chooses nothing
    page.wait_for_function("before => scrollY < before", arg=before)
    expect(result(page)).to_have_text(chosen)


@MODES
def test_explorer_by_mouse(show, mode):
    page = show(Explorer(), mode)
    says(page, Explorer())
    shapes, areas = (page.get_by_role("application", name=name) for name in ("Shapes", "Areas"))
    tile = areas.locator(".cnn-block").first
    tile.hover()
    says(page, Explorer(selected=0))
    expect(page.locator(".cnn-mark")).to_have_count(2)
    page.mouse.move(2, 2)
    says(page, Explorer())
    tile.click()
    page.mouse.move(2, 2)
    says(page, Explorer(selected=0))
    shapes.locator(".cnn-block").nth(2).click()  # the first is the input
    says(page, Explorer(selected=1))
    expect(page.locator(".cnn-mark")).to_have_count(1)  # pooling has no parameters, so no tile
    page.get_by_role("radio", name="memory").check()
    expect(page.locator(".cnn-mark")).to_have_count(2)
    page.get_by_role("combobox", name="Network").select_option("ResNet-18")
    says(page, Explorer(network="ResNet-18", area="memory"))
    shapes.locator(".cnn-block").nth(5).hover()
    layers = page.get_by_role("table", name="Layers of layer2.0")
    expect(layers.get_by_role("rowheader")).to_have_text(["conv1", "conv2", "downsample.0", "add"])


@MODES
def test_explorer_by_key(show, mode):
    page = show(Explorer(), mode)
    for name in ("Shapes", "Areas"):
        pad = page.get_by_role("application", name=name)
        for key, selected in [("ArrowLeft", 8), ("ArrowUp", 7), ("ArrowRight", 8), ("ArrowDown", 9)]:
            pad.press(key)
            says(page, Explorer(selected=selected))
    page.get_by_role("radio", name="parameters").press("ArrowRight")
    says(page, Explorer(area="MACs", selected=9))
    expect(page.locator(".cnn-heading").last).to_have_text("Area is MACs: 714,188,480 MACs in all")
    before, after = (page.get_by_role("button", name=name) for name in ("Previous", "Next"))
    for selected in range(8, -1, -1):
        before.press("Enter")
        says(page, Explorer(area="MACs", selected=selected))
    expect(before).to_be_disabled()
    for selected in range(1, 12):
        after.press("Enter")
        says(page, Explorer(area="MACs", selected=selected))
    expect(after).to_be_disabled()


def test_explorer_by_finger(show):
    page = show(Explorer(network="VGG-16"), width=390, has_touch=True, is_mobile=True)
    page.get_by_role("application", name="Areas").locator(".cnn-block").last.tap()
    says(page, Explorer(network="VGG-16", selected=21))
    page.get_by_role("button", name="Previous").tap()
    says(page, Explorer(network="VGG-16", selected=20))


@pytest.mark.parametrize("area", ["parameters", "MACs", "memory"])
def test_explorer_draws_shares_as_areas(show, area):
    page = show(Explorer(area=area))
    tiles = page.get_by_role("application", name="Areas").locator(".cnn-block .cnn-tint")
    drawn = tiles.evaluate_all("nodes => nodes.map(({width, height}) => width.baseVal.value * height.baseVal.value)")
    sizes = [size for size in Explorer(area=area).sizes if size]
    assert drawn == pytest.approx([size / sum(sizes) * sum(drawn) for size in sizes], rel=1e-4)
    dense = page.locator(".cnn-blocks").last.locator(".cnn-as-output .cnn-tint").count()
    assert dense == 3
    shares = {"parameters": (0.9, 1), "MACs": (0, 0.1), "memory": (0, 0.1)}
    assert shares[area][0] < sum(drawn[-dense:]) / sum(drawn) < shares[area][1]
    # The same area for every network.
    page.get_by_role("combobox", name="Network").select_option("VGG-16")
    says(page, Explorer(network="VGG-16", area=area))
    again = tiles.evaluate_all("nodes => nodes.map(({width, height}) => width.baseVal.value * height.baseVal.value)")
    assert sum(again) == pytest.approx(sum(drawn), rel=1e-4)


OUTSIDE = """[...document.querySelectorAll('.cnn-blocks .cnn-value')].filter((text) => {
  const [inner, outer] = [text, text.closest('.cnn-block').querySelector('.cnn-border')].map((node) => node.getBBox());
  return inner.x < outer.x || inner.y < outer.y || inner.x + inner.width > outer.x + outer.width
    || inner.y + inner.height > outer.y + outer.height;
}).map((text) => text.textContent)"""
COLLIDING = """(() => {
  const boxes = [...document.querySelectorAll('.cnn-blocks .cnn-label')].map((node) => node.getBBox());
  return boxes.slice(1).filter((box, i) => box.x < boxes[i].x + boxes[i].width).length;
})()"""


@pytest.mark.parametrize("width", [1280, 390])
def test_explorer_writes_where_there_is_room(show, width):
    page = show(Explorer(NETWORKS), width=width)
    for area in ("parameters", "MACs", "memory"):
        page.get_by_role("radio", name=area).check()
        for name in NETWORKS:
            page.get_by_role("combobox", name="Network").select_option(name)
            says(page, Explorer(NETWORKS, network=name, area=area))
            assert page.evaluate(OUTSIDE) == []
            assert page.evaluate(COLLIDING) == 0


def test_explorer_follows_the_width_of_the_page(show):
    page = show(Explorer())
    svg = page.locator(".cnn-blocks svg").last
    wide = svg.bounding_box()["width"]
    page.set_viewport_size({"width": 600, "height": 900})
    page.wait_for_function("document.querySelector('.cnn-blocks svg').getBoundingClientRect().width < 600")
    assert svg.bounding_box()["width"] < wide
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_explorer_of_one_network_has_nothing_to_choose_and_may_have_no_area(show):
    page = show(Explorer(POOLED))
    expect(page.get_by_role("combobox")).to_have_count(0)
    expect(page.get_by_role("application", name="Areas")).to_have_text("No block has parameters.")
    page.get_by_role("radio", name="memory").check()
    expect(page.locator(".cnn-blocks").last.locator(".cnn-value").first).to_have_text("0")


@MODES
def test_curves_by_key_and_by_mouse(show, mode):
    page = show(Curves(), mode)
    rate = page.get_by_role("slider", name="Learning rate")
    rate.press("ArrowRight")
    expect(rate).to_have_attribute("aria-valuetext", "0.3")
    says(page, Curves(rate=0.3))
    page.get_by_role("slider", name="Normalisation").press("End")
    page.get_by_role("slider", name="Seed").press("ArrowRight")
    says(page, Curves(rate=0.3, normalisation="batch", seed=1))
    box = rate.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    expect(result(page)).to_have_text("There is no run with these settings.")
    page.get_by_role("slider", name="Normalisation").press("Home")
    page.get_by_role("slider", name="Seed").press("Home")
    says(page, Curves(rate=3.0))
    assert page.complaints == []


def test_curves_break_off_where_a_loss_is_no_number_and_show_the_other_seeds(show):
    page = show(Curves())
    expect(page.locator(".cnn-plot .cnn-faint")).to_have_count(4)
    unfold(page)
    expect(page.locator("tbody tr")).to_have_count(4)
    whole = page.locator(".cnn-plot").first.locator(".cnn-line").last.get_attribute("d")
    page = show(Curves(rate=3.0))
    expect(page.locator(".cnn-plot .cnn-faint")).to_have_count(0)
    ends = page.locator(".cnn-plot").first.locator(".cnn-line").last.get_attribute("d")
    assert (whole.count("L"), ends.count("L")) == (3, 1)


def test_curves_are_saved(show, tmp_path):
    page = show(Curves(), "dark", accept_downloads=True)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save SVG").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    text = file.read_text(encoding="utf-8")
    assert "stroke: rgb(86, 180, 233)" in text and "var(" not in text  # the input's blue on a dark page


@MODES
def test_runs_are_compared_along_the_axes_that_are_chosen(show, mode):
    names = list(dict.fromkeys(run["case"] for run in FOUGHT))
    page = show(Compared(), mode)
    lines, dots = page.locator(".cnn-plot .cnn-line"), page.locator(".cnn-plot .cnn-dot")
    assert (lines.count(), dots.count()) == (6, 6)
    for name in names[2:5]:
        page.get_by_label(name).press("Space")
    says(page, Compared(shown=names[:5]))
    assert page.get_by_label(names[5]).is_disabled()
    page.get_by_label(names[0]).uncheck()
    assert page.get_by_label(names[5]).is_enabled()
    page.get_by_label("Across").select_option("parameters")
    page.get_by_label("Up").select_option("right on test images")
    says(page, Compared(shown=names[1:5], across="parameters", up="right on test images"))
    assert (lines.count(), dots.count()) == (0, 12)
    unfold(page)
    assert page.locator("tbody tr").count() == 4
    assert page.locator("tbody td").first.inner_text() == "165,786"
    for name in names[1:5]:
        page.get_by_label(name).uncheck()
    says(page, Compared(shown=[]))
    assert page.complaints == []


def test_on_a_telephone_a_network_is_chosen_where_its_runs_are_seen(show):
    page = show(Compared(), width=390, has_touch=True, is_mobile=True)
    names, plot = (page.locator(part).bounding_box() for part in (".cnn-many", ".cnn-plot"))
    assert plot["y"] + plot["height"] - names["y"] < 844
    last = page.get_by_label(FOUGHT[-1]["case"])
    expect(last).not_to_be_in_viewport()
    last.tap()
    expect(page.locator(".cnn-plot .cnn-dot")).to_have_count(9)
    expect(last).to_be_in_viewport()


@FIGURES
@MODES
@pytest.mark.parametrize("width", [1280, 390])
def test_figure_is_accessible_and_fits(show, axe, kind, mode, width):
    for figure in (kind(**RICH[kind]), kind(**BROKEN[kind])):
        page = show(figure, mode, width, has_touch=width == 390, is_mobile=width == 390)
        unfold(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        # JupyterLab's shortcuts must leave every control alone.
        controls = "input, button, select, [tabindex]"
        expect(page.locator(f":is({controls}):not([data-lm-suppress-shortcuts='true'])")).to_have_count(0)
        # Rules that axe cannot check in a drawing: size of text and of targets, and contrast on tinted cells.
        assert page.evaluate(SMALL_TEXT) == []
        assert page.evaluate(FAINT_TEXT) == []
        if width == 390:
            assert page.evaluate(SMALL_TARGETS) == []
        assert axe(page) == []


SMALL_TEXT = """[...document.querySelectorAll('.cnn-figure *')]
  .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()))
  .filter((node) => parseFloat(getComputedStyle(node).fontSize) < 12).map((node) => node.outerHTML)"""
SMALL_TARGETS = """[...document.querySelectorAll('button, select, input, summary, .cnn-pad .cnn-cell:not(.cnn-tile *)')]
  .map((node) => [node, (node.closest('label') ?? node).getBoundingClientRect()])
  .filter(([, box]) => box.width && Math.min(box.width, box.height) < 43.9).map(([node]) => node.outerHTML)"""
FAINT_TEXT = """(() => {
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const paint = (colours) => { // one over the other, as the page does
    for (const [fillStyle, globalAlpha] of colours) Object.assign(pen, { fillStyle, globalAlpha }).fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const paper = getComputedStyle(document.body).backgroundColor;
  const darkest = (node) => [...node.querySelectorAll('.cnn-tint')]
    .sort((a, b) => getComputedStyle(b).fillOpacity - getComputedStyle(a).fillOpacity)[0];
  return [...document.querySelectorAll('.cnn-cell text, .cnn-marks text')].map((text) => {
    // A weight that is marked may lie on any cell of its drawing.
    const tint = getComputedStyle(darkest(text.closest('.cnn-cell') ?? text.closest('svg')));
    const under = [[paper, 1], ...(tint.fill === 'none' ? [] : [[tint.fill, +tint.fillOpacity]])];
    const [a, b] = [light(paint(under)), light(paint([...under, [getComputedStyle(text).fill, 1]]))];
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), text.outerHTML];
  }).filter(([ratio]) => ratio < 4.5);
})()"""


@FIGURES
def test_state_is_kept_in_the_address(show, kind):
    page = show(kind())
    before = result(page).inner_text()
    if kind is LayerLedger:
        page.get_by_role("button", name="+ Max pooling").click()
    elif kind is Explorer:
        page.get_by_role("combobox", name="Network").select_option("VGG-16")
        page.get_by_role("radio", name="MACs").check()
    elif kind is KernelOnPhoto:
        page.get_by_role("combobox", name="Kernel").select_option("sharpen")
    elif kind is Curves:
        page.get_by_label("Learning rate").press("ArrowRight")
    elif kind is Compared:
        page.get_by_label("dense, 20 layers").check()
        page.get_by_label("Across").select_option("parameters")
    elif kind is Frequencies:
        page.get_by_role("combobox", name="Kernel").select_option("outline")
    elif kind is YourPhoto:
        loaded(page)
        page.get_by_role("combobox", name="Photo").select_option("a rocket")
        answered(page, "Photo of a rocket: ")
        page.get_by_label("Turn, degrees").press("ArrowRight")
        answered(page, "Photo of a rocket, changed: ")
    elif kind is DrawDigit:
        page.get_by_role("combobox", name="Digit").select_option(index=7)
        page.get_by_role("application").first.press("Space")
        page.get_by_label("Down").press("ArrowRight")
    else:
        page.get_by_role("application").last.press("ArrowRight")
        labels = {ChannelMixer: "Groups G", ReceptiveFieldTower: "Input size W"}
        page.get_by_label(labels.get(kind, "Padding p")).press("ArrowRight")
    expect(result(page)).not_to_have_text(before)
    after = result(page).inner_text()
    # The address follows a moment after the last change, not the first.
    marks = {
        LayerLedger: "maxpool",
        Explorer: "MACs",
        ChannelMixer: "groups",
        ReceptiveFieldTower: "size",
        KernelOnPhoto: "sharpen",
        Frequencies: "outline",
        DrawDigit: "down",
        Compared: "across",
        Curves: "rate",
        YourPhoto: "turn",
    }
    last = marks.get(kind, "padding")
    page.wait_for_function("last => location.hash.includes(last)", arg=last)
    assert not {"networks", "weights", "digits", "still"} & set(re.findall(r"\w+", unquote(page.url)))
    page.reload()
    page.locator(".cnn-widget[data-ready]").wait_for()
    if kind is YourPhoto:
        says(page, YourPhoto("a rocket", turn=1))
        loaded(page)
        answered(page, after)
    expect(result(page)).to_have_text(after)


@FIGURES
def test_without_javascript_the_picture_shows(show, kind):
    page = show(kind(), java_script_enabled=False)
    picture = page.locator(".cnn-widget img")
    expect(picture).to_have_attribute("alt", kind().sentence())
    assert picture.evaluate("node => node.naturalWidth") > 300


PICTURED = (DrawDigit, LayerLedger, Frequencies, Compared, Curves, YourPhoto)  # drawn without cells


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in PICTURED])
def test_drawing_is_saved_with_its_colours(show, kind, tmp_path):
    page = show(kind(), "dark", accept_downloads=True)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save SVG").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    text = file.read_text(encoding="utf-8")
    assert re.search(r"fill: rgb\(206, 214, 221\)", text)  # the dark page's ink
    assert re.search(r'class="cnn-tint"[^>]*fill: rgb\(86, 180, 233\)', text)  # the input's blue
    assert "var(" not in text
    page.goto(file.as_uri())
    assert page.locator("text").count() > (5 if kind is Explorer else 15)


@pytest.mark.parametrize(("kind", "images", "rects"), [(Frequencies, 5, 4), (DrawDigit, 10, 3), (YourPhoto, 2, 1)])
def test_pictures_are_saved(show, kind, images, rects, tmp_path):
    page = show(kind(), "dark", accept_downloads=True)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save SVG").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert "var(" not in file.read_text(encoding="utf-8")
    page.goto(file.as_uri())
    # The card, and marks: three of a wave, or a unit's and that of what it sees.
    expect(page.locator("image")).to_have_count(images)
    expect(page.locator("rect")).to_have_count(rects)


@pytest.mark.parametrize("page", LIVE)
def test_figures_of_a_page_say_what_its_notebook_says(browser, address, page):
    notebook = json.loads((WIDGETS.parent.parent / f"{page}.ipynb").read_text(encoding="utf-8"))
    outputs = [output.get("data", {}) for cell in notebook["cells"] for output in cell.get("outputs", [])]
    said = ["".join(data["text/plain"]) for data in outputs if "cnn-widget" in "".join(data.get("text/html", ""))]
    tab = browser.new_page(color_scheme="dark")
    tab.goto(f"{address}/{page}.html")
    assert said
    expect(tab.locator(".cnn-result")).to_have_text(said)
    # The theme's light plate for a cell's HTML would leave light text on it.
    plates = tab.locator(".text_html:has(.cnn-widget)")
    colours = plates.evaluate_all("nodes => nodes.map((node) => getComputedStyle(node).backgroundColor)")
    assert set(colours) == {"rgba(0, 0, 0, 0)"}
    tab.context.close()
