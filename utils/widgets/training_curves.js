// Pairs of training curves from runs that were kept: what rate, batch, decay, normalisation and seed make of them.

const SETTINGS = ["rate", "batch_size", "weight_decay", "normalisation", "seed"];
const SAID = ["Learning rate", "Batch size", "Weight decay", "Normalisation", "Seed"];
const LEAST = 1e-4; // losses travel as steps from it, so many to a factor of ten; the last level is no number
const STEPS = 200;
const NOTHING = 36 ** 2 - 1;

// Four curves of equal length: losses while learning and on validation digits, then shares of right answers.
function unpack(text) {
  const levels = text.match(/../g).map((pair) => Number.parseInt(pair, 36));
  const epochs = levels.length / 4;
  const values = levels.map((level, i) => (i >= 2 * epochs ? level / 1000 : level === NOTHING ? null : LEAST * 10 ** (level / STEPS)));
  return [0, 1, 2, 3].map((i) => values.slice(i * epochs, (i + 1) * epochs));
}

function readState(model) {
  const given = model.get("runs");
  const runs = Object.fromEntries(Object.entries(given && typeof given === "object" ? given : {})
    .filter(([key, text]) => key.split(", ").length === 5 && typeof text === "string" && /^([0-9a-z]{8}){1,200}$/.test(text)));
  const keys = Object.keys(runs).map((key) => key.split(", "));
  if (!keys.length) return { error: "there is no run to show" };
  // Numbers by size; words by the alphabet, but for "none".
  const before = (a, b) => a - b || (b === "none") - (a === "none") || (a < b ? -1 : 1);
  const options = SETTINGS.map((_, i) => [...new Set(keys.map((parts) => parts[i]))].sort(before));
  const chosen = SETTINGS.map((name, i) => (options[i].includes(model.get(name)) ? model.get(name) : options[i][0]));
  const key = chosen.join(", ");
  if (!(key in runs)) return { error: "there is no run with these settings", options, chosen };
  const others = options[4].filter((seed) => seed !== chosen[4]).map((seed) => [...chosen.slice(0, 4), seed].join(", "));
  return { options, chosen, curves: unpack(runs[key]), others: others.filter((name) => name in runs).map((name) => unpack(runs[name])) };
}

// A loss to two digits.
function written(value) {
  if (value === null) return "no number";
  return value > 290 ? "290 or more" : String(Number(value.toPrecision(2)));
}

function verdict({ curves: [loss, validation] }) {
  const none = loss.map((value, i) => value === null || validation[i] === null);
  if (none.at(-1)) return `It has diverged: from epoch ${none.lastIndexOf(false) + 2} on a loss is no number.`;
  const [learned, seen] = [loss, validation].map((values) => values.map((value) => value ?? Infinity));
  const best = seen.indexOf(Math.min(...seen));
  const worse = seen.at(-1) > 1.1 * seen[best];
  if (learned.at(-1) > 2.2) return "It has learned next to nothing: whoever guesses has a loss of 2.3.";
  if (worse && (best >= seen.length - 3 || learned.at(-1) > 1.3 * Math.min(...learned))) {
    return "It jumps from epoch to epoch, lower and higher again: try a lower rate.";
  }
  if (learned.at(-1) > 0.5) return "It is not done: it does not know its own digits yet.";
  if (worse) return `It overfits: the validation loss was lowest, ${written(seen[best])}, after epoch ${1 + best}.`;
  return "The validation loss is at its lowest, or near it.";
}

function describe(state) {
  if (state.error) return sentence(state.error);
  const [loss, validation, right, valid] = state.curves.map((curve) => curve.at(-1));
  return `After ${state.curves[0].length} epochs the loss is ${written(loss)} while learning and ${written(validation)} on validation digits, `
    + `of which ${(100 * valid).toFixed(1)} % are right (${(100 * right).toFixed(1)} % while learning). ${verdict(state)}`;
}

// A slider over what a setting may be.
function steps(label, role, change) {
  const shown = at();
  let options = [];
  const input = h("input", { type: "range", min: 0, step: 1, input: () => change(options[+input.value]) });
  const node = h("label", { class: `cnn-slider cnn-as-${role}` }, h("span", {}, label, " ", shown), input);
  node.set = (values, value) => {
    options = values;
    input.max = values.length - 1;
    input.value = values.indexOf(value);
    input.setAttribute("aria-valuetext", value);
    shown.textContent = value;
  };
  return node;
}

const PLOTS = [
  { title: "Loss", pair: 0, ticks: [[1, "10"], [0.75, "1"], [0.5, "0.1"], [0.25, "0.01"], [0, "0.001"]], height: (value) => (Math.log10(Math.min(Math.max(value, 1e-3), 10)) + 3) / 4 },
  { title: "Right answers", pair: 2, ticks: [[1, "100 %"], [0.75, "75"], [0.5, "50"], [0.25, "25"], [0, "0"]], height: (value) => value },
];

export default {
  render({ model, el }) {
    let state = readState(model);
    const part = (tag, name, attributes = {}) => h(tag, { class: name, ...attributes });
    const controls = SETTINGS.map((name, i) => steps(SAID[i], i ? "input" : "kernel", (value) => assign(model, { [name]: value })));
    const result = part("p", "cnn-result", { "aria-live": "polite" });
    result.style.minHeight = "6em"; // or what is below would jump
    const legend = h("p", { class: "cnn-legend" }, ...[["input", "while learning"], ["kernel", "on validation digits"]].map(([role, text]) =>
      h("span", { class: `cnn-as-${role}` }, h("svg", { width: 34, height: 12, "aria-hidden": "true" }, line(`M1,6H33`, role)), text)),
    h("span", {}, "faint: other seeds"));
    const panels = PLOTS.map(({ title }) => h("div", { class: "cnn-panel" }, h("p", { class: "cnn-heading" }, title), part("div", "cnn-plot")));
    const twin = part("div", "cnn-scroll", { tabindex: 0, role: "group", "aria-label": "Table" });
    const save = button("Save SVG", () => saveSvg("training-curves", panels.map((panel) => panel.querySelector("svg"))));

    function line(d, role, faint = false) {
      return h("path", { d, class: `cnn-line cnn-as-${role}${faint ? " cnn-faint" : ""}`, "stroke-dasharray": role === "kernel" ? "6 4" : null });
    }

    function plot({ pair, ticks, height }) {
      const [width, tall, left] = [matchMedia("(max-width: 500px)").matches ? 250 : 226, 190, 44];
      const x = (i, epochs) => left + (width * i) / Math.max(1, epochs - 1);
      const y = (share) => 10 + tall * (1 - share);
      // A curve breaks off where a number is none.
      const drawn = (curve, role, faint) => {
        const points = curve.map((value, i) => (value === null ? null : `${x(i, curve.length).toFixed(1)},${y(height(value)).toFixed(1)}`));
        const d = points.map((point, i) => point && (points[i - 1] ? "L" : "M") + point).join("");
        return d && line(d, role, faint);
      };
      const grid = ticks.flatMap(([share, text]) => [
        h("path", { class: "cnn-rule", d: `M${left},${y(share)}H${left + width}` }),
        h("text", { class: "cnn-label cnn-before", x: left - 6, y: y(share) }, text),
      ]);
      const epochs = state.curves[0].length;
      const below = [1, Math.ceil(epochs / 2), epochs].filter((epoch, i, all) => all.indexOf(epoch) === i)
        .map((epoch) => h("text", { class: "cnn-label", x: x(epoch - 1, epochs), y: tall + 24 }, epoch));
      const both = (curves, faint) => [drawn(curves[pair], "input", faint), drawn(curves[pair + 1], "kernel", faint)];
      const lines = [...state.others.flatMap((curves) => both(curves, true)), ...both(state.curves, false)].filter((node) => node);
      return drawing(left + width + 12, tall + 48, ...grid, ...below, h("text", { class: "cnn-label", x: left + width / 2, y: tall + 40 }, "epoch"), ...lines);
    }

    function draw() {
      state = readState(model);
      result.textContent = describe(state);
      figure.classList.toggle("cnn-broken", Boolean(state.error));
      save.disabled = Boolean(state.error);
      if (state.options) controls.forEach((control, i) => control.set(state.options[i], state.chosen[i]));
      if (state.error) {
        twin.replaceChildren();
        return;
      }
      PLOTS.forEach((kind, i) => panels[i].lastChild.replaceChildren(plot(kind)));
      const [loss, validation, right, valid] = state.curves;
      twin.replaceChildren(table("Epoch by epoch", ["epoch", "loss while learning", "loss on validation", "right while learning", "right on validation"],
        loss.map((value, i) => [i + 1, written(value), written(validation[i]), `${(100 * right[i]).toFixed(1)} %`, `${(100 * valid[i]).toFixed(1)} %`])));
    }

    const figure = h("div", { class: "cnn-figure", role: "group", "aria-label": "Training curves" },
      h("div", { class: "cnn-controls" }, ...controls), h("div", { class: "cnn-actions" }, save), result, legend,
      h("div", { class: "cnn-panels cnn-close" }, ...panels), h("details", {}, h("summary", {}, "As a table"), twin));
    el.append(figure);
    model.on("change", draw);
    draw();
    return () => model.off("change", draw);
  },
};
