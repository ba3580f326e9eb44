"""Figures say what they were given: the numbers in the cells, the roles' colours, the pixels that nothing reads."""

import itertools
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyBboxPatch, Rectangle

from utils import plotting

PALETTE = json.loads((Path(plotting.__file__).parents[1] / "palette.json").read_text())


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def words(ax):
    return [text.get_text() for text in ax.texts]


def numbers(ax):
    """The texts inside cells, without titles."""
    return [text for text in ax.texts if text.get_verticalalignment() == "center"]


def colour(patch):
    return to_hex(patch.get_edgecolor()).upper()


def luminance(shade):
    channels = np.array([int(shade[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    """WCAG's contrast ratio, from 1 to 21."""
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_wcags():
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize(("shade", "page"), [("light", "#FFFFFF"), ("dark", "#121212")])
@pytest.mark.parametrize("role", PALETTE)
def test_every_role_can_be_read_on_its_page(role, shade, page):
    assert contrast(PALETTE[role][shade], page) >= 4.5


def test_the_palette_has_the_five_roles():
    assert list(PALETTE) == ["input", "kernel", "output", "gradient", "padding"]
    assert {role: shades["light"] for role, shades in PALETTE.items()} == plotting.COLOURS
    for shade in ("light", "dark"):
        assert len({shades[shade] for shades in PALETTE.values()}) == 5


FIGURES = {
    "grids": lambda: plotting.grids([np.eye(2)], ["input"]),
    "maps": lambda: plotting.maps([np.eye(4)], ["one"]),
    "matrix": lambda: plotting.matrix(np.eye(4)),
    "positions": lambda: plotting.positions([5], 3),
    "bars": lambda: plotting.bars({"few": 10, "many": 1000}, "counts"),
    "curve": lambda: plotting.curve([3, 2, 1], "step", "loss"),
    "pairs": lambda: plotting.pairs({"one": ([2, 1], [2, 2])}, "epoch", "loss"),
    "confusion": lambda: plotting.confusion([[3, 1], [0, 2]], "is", "taken for"),
    "overlays": lambda: plotting.overlays([np.eye(4)], [np.eye(4)]),
}


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.filterwarnings("error")
def test_a_figure_leaves_the_readers_settings_alone(name):
    before = dict(matplotlib.rcParams)
    FIGURES[name]()
    plt.gcf().canvas.draw()
    assert dict(matplotlib.rcParams) == before


def test_a_figure_that_fails_leaves_the_readers_settings_alone():
    before = dict(matplotlib.rcParams)
    with pytest.raises(ValueError, match="larger than padded input"):
        plotting.positions([3], kernel_size=5)
    assert dict(matplotlib.rcParams) == before


def test_grids_draw_the_numbers_they_are_given():
    x, kernel, out = np.array([[1, -2], [3.5, 0.125]]), np.array([[10]]), np.array([[1e6, 0]])
    ax = plotting.grids([x, kernel, out], ["input", "kernel", "output"], ["x", "k", "y"], "×=")
    assert words(ax) == ["1", "-2", "3.5", "0.12", "x", "×", "10", "k", "=", "1e+06", "0", "y"]


def test_grids_put_a_number_where_it_stands_in_the_array():
    ax = plotting.grids([np.arange(6).reshape(2, 3)], ["input"])
    assert len(numbers(ax)) == 6
    for text in numbers(ax):
        row, column = divmod(int(text.get_text()), 3)
        assert text.get_position() == pytest.approx((column + 0.5, row + 0.5), abs=0.05)
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # rows run downwards


@pytest.mark.parametrize("role", PALETTE)
def test_a_role_has_its_colour_and_its_second_cue(role):
    ax = plotting.grids([np.ones((2, 2))], [role])
    cells, frames = ax.patches[:4], ax.patches[4:]
    assert {colour(cell) for cell in cells} == {PALETTE[role]["light"]}
    assert len(frames) == (role == "kernel")
    assert all(frame.get_linewidth() == 2.5 and not frame.get_fill() for frame in frames)
    assert {isinstance(cell, FancyBboxPatch) for cell in cells} == {role == "output"}
    assert {cell.get_linestyle() for cell in cells} == {"--" if role in ("padding", "gradient") else "-"}
    assert {cell.get_hatch() for cell in cells} == {"////" if role == "padding" else None}
    assert {cell.get_facecolor()[3] == 0 for cell in cells} == {role == "padding"}
    assert {text.get_style() for text in numbers(ax)} == {"italic" if role == "gradient" else "normal"}


def test_a_frame_lies_where_it_is_told():
    ax = plotting.grids([np.zeros((5, 5)), np.zeros((3, 3))], ["input", "output"], frames={0: (1, 2, 3, 3)})
    (frame,) = [patch for patch in ax.patches if patch.get_linewidth() == 2.5]
    assert frame.get_bbox().bounds == (2, 1, 3, 3)
    assert colour(frame) == PALETTE["kernel"]["light"]


def test_grids_need_a_role_for_every_array():
    with pytest.raises(ValueError, match="roles must have one for each of the 2 arrays, got 1"):
        plotting.grids([np.eye(2), np.eye(2)], ["input"])


def test_maps_show_each_picture_under_its_title():
    coloured = np.random.default_rng(0).random((3, 4, 6))
    axes = plotting.maps([coloured, *coloured], ["all", "red", "green", "blue"], columns=3)
    assert axes.shape == (2, 3)
    assert [ax.get_title() for ax in axes.flat] == ["all", "red", "green", "blue", "", ""]
    shown = [np.asarray(ax.images[0].get_array()) for ax in axes.flat[:4]]
    assert np.array_equal(shown[0], coloured.transpose(1, 2, 0))
    assert all(np.array_equal(plane, given) for plane, given in zip(shown[1:], coloured, strict=True))
    assert axes[0, 1].images[0].get_clim() == (0, 1)  # gray means the same everywhere
    assert not axes[1, 1].images


def test_a_signed_map_says_how_far_its_colours_reach():
    picture = np.linspace(-1, 3, 1001).reshape(7, 143)
    (ax,) = plotting.maps([picture], ["edges"], signed=True).flat
    limit = np.quantile(abs(picture), 0.995)
    assert ax.get_title() == "edges (±3)"
    assert ax.images[0].get_clim() == pytest.approx((-limit, limit))
    zero = ax.images[0].to_rgba(np.array([[0.0]]))[0, 0]
    assert np.allclose(zero, 1, atol=0.01)  # zero is white
    assert to_hex(plotting.SIGNED(0.0)).upper() == PALETTE["input"]["light"]
    assert to_hex(plotting.SIGNED(1.0)).upper() == PALETTE["kernel"]["light"]


def test_maps_can_be_signed_one_by_one():
    axes = plotting.maps([np.eye(4), 0.25 * np.eye(4) - 0.125], ["photo", "map"], signed=[False, True])
    assert [ax.get_title() for ax in axes.flat] == ["photo", "map (±0.12)"]


def test_maps_that_are_compared_share_one_scale():
    pictures, titles = [np.eye(4), np.eye(4), 3 * np.eye(4)], ["photo", "before", "after"]
    axes = [*plotting.maps(pictures, titles, signed=[False, True, True], together=True).flat]
    assert [ax.get_images()[0].get_clim() for ax in axes] == [(0, 1), (-3, 3), (-3, 3)]
    assert [ax.get_title() for ax in axes] == ["photo", "before (±3)", "after (±3)"]


def test_a_signed_map_of_nothing_is_white():
    (ax,) = plotting.maps([np.zeros((3, 3))], ["silent"], signed=True).flat
    assert np.allclose(ax.images[0].to_rgba(ax.images[0].get_array()), 1, atol=0.01)
    assert ax.get_title() == "silent (±0)"


def test_a_matrix_counts_inputs_and_outputs():
    weights = np.array([[0, 2, -4], [1, 0, 0]])
    ax = plotting.matrix(weights, "W")
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == ("W", "3 inputs", "2 outputs")
    assert np.array_equal(ax.images[0].get_array(), weights)
    assert ax.images[0].get_clim() == (-4, 4)


def unread(size, kernel_size, stride, padding, dilation):
    """The pixels that no position of the kernel meets, by trying every position."""
    read, start = set(), -padding
    while start + dilation * (kernel_size - 1) < size + padding:
        read |= {start + tap * dilation for tap in range(kernel_size)}
        start += stride
    return {pixel for pixel in range(size) if pixel not in read}


SETTINGS = [
    each
    for each in itertools.product([3, 7, 8], [1, 2, 3], [1, 2, 4], [0, 1, 2], [1, 2, 3])
    if each[4] * (each[1] - 1) < each[0] + 2 * each[3]  # the kernel fits
]


@pytest.mark.parametrize("padding", [0, 1, 2])
def test_positions_hatch_exactly_the_pixels_that_are_never_read(padding):
    for size, kernel_size, stride, _, dilation in [each for each in SETTINGS if each[3] == padding]:
        (ax,) = plotting.positions([size], kernel_size, stride, padding, dilation)
        hatched = [patch for patch in ax.patches if patch.get_hatch() == "xxx"]
        missed = unread(size, kernel_size, stride, padding, dilation)
        assert {round(patch.get_x()) - padding for patch in hatched} == missed
        assert f", {len(missed)} never read" in ax.get_title(loc="left")
        plt.close("all")


def test_positions_show_every_position_of_every_panel():
    axes = plotting.positions([7, 8], kernel_size=3, stride=2, padding=1, dilation=2)
    titles = [ax.get_title(loc="left") for ax in axes]
    assert titles == ["7 pixels: 3 positions, 4 never read", "8 pixels: 3 positions, 4 never read"]
    for ax, size in zip(axes, [7, 8], strict=True):
        assert words(ax) == ["0", *map(str, range(1, size + 1)), "0"]
        taps = [p for p in ax.patches if isinstance(p, Rectangle) and p.get_width() == 0.6]
        assert [round(tap.get_x() - 0.2) - 1 for tap in taps] == [-1, 1, 3, 1, 3, 5, 3, 5, 7]
        assert len(ax.lines) == 3
    assert axes[0].get_xlim() == axes[1].get_xlim()  # pixels stand under one another


def test_bars_are_as_long_as_the_counts_and_say_them():
    ax = plotting.bars({"dense": 31_467_520, "shared": 760}, "parameters")
    assert [bar.get_width() for bar in ax.patches] == [31_467_520, 760]
    assert words(ax) == [" 31,467,520", " 760"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["dense", "shared"]
    assert ax.get_xscale() == "log" and ax.yaxis_inverted()
    assert plotting.bars({"a": 1}, "t", log=False).get_xscale() == "linear"


def test_a_curve_shows_its_values():
    ax = plotting.curve([4, 2, 1], "step", "loss", log=True)
    assert ax.lines[0].get_ydata().tolist() == [4, 2, 1]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("step", "loss", "log")
    assert to_hex(ax.lines[0].get_color()).upper() == PALETTE["input"]["light"]


def test_runs_are_thin_around_their_mean():
    ax = plotting.curve({"some": [[1, 2, 6], [3, 2, 0]], "one": [1, 1, 1]}, "step", "loss")
    assert [line.get_ydata().tolist() for line in ax.lines] == [[2, 2, 3], [1, 2, 6], [3, 2, 0], [1, 1, 1]]
    mean, *runs, other = ax.lines
    assert all(run.get_color() == mean.get_color() != other.get_color() for run in runs)
    assert max(run.get_linewidth() for run in runs) < mean.get_linewidth()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["some", "one"]


def test_pairs_share_one_scale_and_are_told_apart_without_colour():
    axes = plotting.pairs({"A": ([4, 2], [4, 3]), "B": ([40, 2], [40, 3])}, "epoch", "loss", columns=3)
    assert [ax.get_title() for ax in axes.flat] == ["A", "B"]
    assert axes[0, 0].get_ylim() == axes[0, 1].get_ylim()
    learning, validation = axes[0, 1].get_lines()
    assert [*learning.get_xdata()] == [1, 2]
    assert [*validation.get_ydata()] == [40, 3]
    assert learning.get_linestyle() != validation.get_linestyle()


def test_several_curves_are_named_and_told_apart_without_colour():
    ax = plotting.curve({"direct": [1, 4, 9], "fast": [5, 5, 6]}, "kernel", "time", x=[3, 7, 11])
    assert [line.get_xdata().tolist() for line in ax.lines] == [[3, 7, 11]] * 2
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1, 4, 9], [5, 5, 6]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["direct", "fast"]
    assert plotting.curve([1, 2], "kernel", "time").get_legend() is None
    assert len({line.get_linestyle() for line in ax.lines}) == 2


def test_a_graph_says_on_each_edge_what_goes_forward_and_what_comes_back():
    steps = [("a", "×", "x1", "w1"), ("L", "+", "a", "x2")]
    values = {"x1": 2, "w1": -3, "x2": 5, "a": -6, "L": -1}
    shares = {("x1", "a"): -3, ("w1", "a"): 2, ("a", "L"): 1, ("x2", "L"): 1}
    ax = plotting.graph(steps, values, shares)
    forward = [text.get_text() for text in ax.texts if text.get_va() == "bottom"]
    back = [text.get_text() for text in ax.texts if text.get_va() == "top"]
    assert forward == ["2", "−3", "−6", "5"] and back == ["−3", "2", "1", "1"]
    assert words(ax)[-1] == "L = −1"
    beside = [text.get_text() for text in ax.texts if text.get_ha() == "right"]
    assert beside == ["−3", "2", "1"]
    rings = {text.get_text(): to_hex(text.get_bbox_patch().get_edgecolor()).upper() for text in ax.texts[8:13:2]}
    assert rings["x1"] == PALETTE["input"]["light"].upper()


def test_a_weight_used_twice_has_the_sum_of_what_comes_back():
    steps = [("a", "×", "x1", "w1"), ("b", "×", "x2", "w1"), ("L", "+", "a", "b")]
    values = {"x1": 2, "w1": 1, "x2": 3, "a": 2, "b": 3, "L": 5}
    shares = {("x1", "a"): 1, ("w1", "a"): 2, ("w1", "b"): 3, ("x2", "b"): 1, ("a", "L"): 1, ("b", "L"): 1}
    ax = plotting.graph(steps, values, shares)
    assert [text.get_text() for text in ax.texts if text.get_ha() == "right"] == ["1", "5", "1"]


def test_a_confusion_matrix_says_its_counts_and_frames_what_is_right():
    ax = plotting.confusion([[5, 0, 1], [0, 7, 0], [2, 0, 4]], "digit", "taken for")
    assert {(text.get_position(), text.get_text()) for text in ax.texts} == {
        ((0, 0), "5"),
        ((2, 0), "1"),
        ((1, 1), "7"),
        ((0, 2), "2"),
        ((2, 2), "4"),
    }
    assert [patch.get_xy() for patch in ax.patches] == [(i - 0.5, i - 0.5) for i in range(3)]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("taken for", "digit")
    assert ax.images[0].get_array().tolist()[0] == [5 / 6, 0, 1 / 6]


def test_scatter_names_its_points_and_points_from_the_first_to_the_last():
    ax = plotting.scatter({"a": [(1, 5)], "b": [(10, 6), (10, 9)]}, "cost", "accuracy", log=True)
    assert [line.get_xydata().tolist() for line in ax.lines] == [[[1, 5]], [[10, 6], [10, 9]]]
    assert {text.get_text(): text.xy for text in ax.texts if text.get_text()} == {"a": (1, 5), "b": (10, 9)}
    arrows = [(text.xyann, text.xy) for text in ax.texts if not text.get_text()]
    assert arrows == [((10, 6), (10, 9))]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_xscale()) == ("cost", "accuracy", "log")
    assert plotting.scatter({"a": [(1, 5)]}, "cost", "accuracy").get_xscale() == "linear"


def test_scatter_turns_a_name_away_from_a_point_beside_it():
    ax = plotting.scatter({"left": [(1, 5)], "right": [(1.5, 5)], "far": [(9, 9)]}, "cost", "accuracy")
    assert {text.get_text(): text.get_ha() for text in ax.texts} == {"left": "right", "right": "left", "far": "left"}
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not boxes[0].overlaps(boxes[1])


def test_shares_add_up_to_all_of_each():
    ax = plotting.shares({"one": {"a": 1, "b": 3}, "two": {"a": 10, "b": 0}}, "parameters")
    widths = [[bar.get_width() for bar in container] for container in ax.containers]
    assert widths == [[25, 100], [75, 0]]
    assert [bar.get_x() for bar in ax.containers[1]] == [25, 100]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert len({container[0].get_hatch() for container in ax.containers}) == 2
    assert ax.yaxis_inverted() and [label.get_text() for label in ax.get_yticklabels()] == ["one", "two"]


def test_heat_lies_over_its_picture_the_denser_the_hotter():
    pictures = np.random.default_rng(0).random((3, 6, 5))
    heats = np.zeros((3, 6, 5))
    heats[0, 2, 3], heats[0, 2, 2], heats[1] = 8, 2, 0.1
    axes = plotting.overlays(pictures, heats, ["here", "everywhere", "nowhere"], columns=2)
    assert axes.shape == (2, 2)
    assert [ax.get_title() for ax in axes.flat] == ["here", "everywhere", "nowhere", ""]
    for ax, picture, heat in zip(axes.flat, pictures, heats, strict=False):
        below, film = (np.asarray(image.get_array()) for image in ax.images)
        assert np.array_equal(below, picture)
        assert to_hex(film[0, 0]).upper() == plotting.COLOURS["gradient"]
        assert np.allclose(film[..., 3], 0.9 * heat / (heat.max() or 1))
    assert [len(ax.collections) for ax in axes.flat] == [1, 0, 0, 0]  # an even heat has no edge
    edge = axes[0, 0].collections[0].get_paths()[0].vertices
    assert (abs(edge - [3, 2]) <= 1).all()


def test_every_picture_needs_its_heat():
    with pytest.raises(ValueError, match="heats must have one for each of the 1 pictures, got 2"):
        plotting.overlays([np.eye(3)], [np.eye(3)] * 2)


def test_under_heat_a_picture_is_gray():
    picture = np.random.default_rng(0).random((3, 4, 5))
    (ax,) = plotting.overlays([picture], [np.ones((4, 5))]).flat
    assert np.allclose(np.asarray(ax.images[0].get_array()), picture.mean(0))


GRAY, HEAT = np.full((28, 28), 0.5), np.ones((28, 28))


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (
            lambda: plotting.overlays([GRAY], [np.ones((7, 7))]),
            r"a heat must be as large as its picture, \(28, 28\), got",
        ),
        (lambda: plotting.overlays([GRAY, GRAY], [HEAT, HEAT[:14]]), r"as large as its picture, .* got \(14, 28\)"),
        (lambda: plotting.overlays([GRAY], [np.full((28, 28), np.nan)]), "every number of a heat must be finite"),
        (
            lambda: plotting.overlays([np.full((28, 28), 255, np.uint8)], [HEAT]),
            "from 0 to 1, got whole numbers up to 255",
        ),
        (
            lambda: plotting.overlays([GRAY], [HEAT], "7"),
            "titles must be a list with one for each of the pictures, got",
        ),
        (lambda: plotting.overlays([], []), "there must be at least one of the pictures, got none"),
        (lambda: plotting.overlays([np.ones((28, 28, 3))], [HEAT]), r"a picture must be \(H, W\) or \(3, H, W\), got"),
        (lambda: plotting.maps([GRAY, GRAY], ["one"]), "titles must have one for each of the 2 pictures, got 1"),
        (lambda: plotting.maps([GRAY, GRAY], "ab"), "titles must be a list .* got the text 'ab'"),
        (lambda: plotting.maps([GRAY, GRAY], ["a", "b"], signed=[True]), "signed must have one for each of the 2"),
        (lambda: plotting.maps([GRAY * np.nan], ["a"]), "every number of a picture must be finite"),
        (lambda: plotting.maps([np.full((3, 4, 4), 200, np.uint8)], ["a"]), "divide bytes by 255"),
    ],
)
def test_no_figure_is_drawn_of_what_it_cannot_show(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
