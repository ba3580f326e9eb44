// Kept runs of several networks, with every seed drawn: the reader chooses the networks and both axes.

const CURVES = ["epoch", "minutes of learning"]; // along these a run is a line, along the others a point: its end
const ACROSS = [...CURVES, "milliseconds a step", "kB kept an image", "parameters", "layers"];
const UP = ["loss while learning", "right while learning", "right on validation images", "right on test images"];
const MOST = 5;
const LOOKS = [["input", null], ["kernel", "6 4"], ["output", "2 3"], ["gradient", "10 3 2 3"], ["padding", "12 3"]];

const numbers = (values, length) => Array.isArray(values) && values.length && (!length || values.length === length) && values.every(Number.isFinite);

function readState(model) {
  const given = model.get("runs");
  const runs = (Array.isArray(given) ? given : []).filter((run) => typeof run?.name === "string"
    && numbers(run.costs, ACROSS.length - CURVES.length) && Array.isArray(run.seeds) && run.seeds.length
    && run.seeds.every((seed) => Array.isArray(seed) && seed.length === UP.length && seed.every((values) => numbers(values))));
  const names = runs.map(({ name }) => name);
  if (!names.length) return { error: "there is no run to show" };
  const asked = Array.isArray(model.get("shown")) ? model.get("shown") : [];
  const chosen = (name, offered) => (offered.includes(model.get(name)) ? model.get(name) : offered[0]);
  const state = { names, shown: names.filter((name) => asked.includes(name)).slice(0, MOST), across: chosen("across", ACROSS), up: chosen("up", UP) };
  state.lines = Object.fromEntries(runs.map((run) => [run.name, linesOf(run, state, whole(model.get("steps"), [1, 1e9]))]));
  return state.shown.length ? state : { ...state, error: "choose at least one network" };
}

// For each seed its line, or its end: what lies across, and what lies up, in thousandths.
function linesOf({ costs, seeds }, { across, up }, steps) {
  const epochs = seeds[0][0].length;
  const minutes = across === CURVES[1] ? steps * costs[0] / 60000 : 1;
  return seeds.map((seed) => {
    const values = seed[UP.indexOf(up)];
    if (!CURVES.includes(across)) return [[costs[ACROSS.indexOf(across) - CURVES.length], values.at(-1)]];
    return values.map((value, i) => [minutes * (epochs - values.length + 1 + i), value]);
  });
}

const endsOf = (state, name) => state.lines[name].map((line) => line.at(-1)[1]);

// A loss, or a share in percent.
function written(state, value) {
  return state.up === UP[0] ? (Math.floor((value + 5) / 10) / 100).toFixed(2) : (value / 10).toFixed(1);
}

function describe(state) {
  if (state.error) return sentence(state.error);
  const unit = state.up === UP[0] ? "" : " %";
  const ends = Object.fromEntries(state.shown.map((name) => [name, endsOf(state, name)]));
  const said = state.shown.map((name) => {
    const [least, most] = [Math.min(...ends[name]), Math.max(...ends[name])].map((value) => written(state, value));
    return `${name}, ${least}${least === most ? "" : ` to ${most}`}${unit}`;
  });
  const mean = (name) => ends[name].reduce((sum, value) => sum + value, 0) / ends[name].length;
  const order = [...state.shown].sort((a, b) => mean(a) - mean(b));
  const alike = order.slice(1).map((high, i) => [order[i], high]).filter(([low, high]) => Math.min(...ends[high]) <= Math.max(...ends[low]));
  const apart = order.length > 1 && !alike.length ? " The runs of no two overlap." : "";
  return `${state.up[0].toUpperCase()}${state.up.slice(1)}, at the end: ${said.join("; ")}.${alike.map(([low, high]) => ` The runs of ${low} and ${high} overlap.`).join("")}${apart}`;
}

// Round numbers, at most eight, the first no larger than `least` and the last no smaller than `most`.
function ticks(least, most) {
  const size = 10 ** Math.floor(Math.log10((most - least || 1) / 6));
  const step = size * [1, 2, 5, 10].find((factor) => (most - least) / (factor * size) <= 6);
  const first = Math.floor(least / step);
  const last = Math.max(Math.ceil(most / step), first + 1);
  return Array.from({ length: last - first + 1 }, (_, i) => step * (first + i));
}

export default {
  render({ model, el }) {
    let state = readState(model);
    const part = (tag, name, attributes = {}) => h(tag, { class: name, ...attributes });
    const swatches = {};
    const boxes = (state.names ?? []).map((name) => {
      const box = checkbox(name, (on) => assign(model, { shown: state.names.filter((other) => (other === name ? on : state.shown.includes(other))) }));
      swatches[name] = part("span", "cnn-swatch");
      box.firstChild.after(swatches[name]);
      return [name, box];
    });
    const axes = [["across", "Across", ACROSS], ["up", "Up", UP]].map(([name, label, offered]) => [name, choice(label, offered, (value) => assign(model, { [name]: value }))]);
    const result = part("p", "cnn-result", { "aria-live": "polite" });
    result.style.minHeight = "6em"; // or what is below would jump
    const panel = part("div", "cnn-plot");
    const twin = part("div", "cnn-scroll", { tabindex: 0, role: "group", "aria-label": "Table" });
    const save = button("Save SVG", () => saveSvg("runs", [panel.firstChild]));

    function line(d, slot) {
      const [role, dashes] = LOOKS[slot];
      return h("path", { d, class: `cnn-line cnn-thin cnn-as-${role}`, "stroke-dasharray": dashes });
    }

    function dot(x, y, slot) {
      return h("rect", { x: x - 4, y: y - 4, width: 8, height: 8, rx: slot % 2 ? 0 : 4, class: `cnn-dot cnn-as-${LOOKS[slot][0]}` });
    }

    // The axes hold every run, whichever are shown, so that nothing jumps when another is chosen.
    function plot() {
      const [width, tall, left] = [matchMedia("(max-width: 500px)").matches ? 250 : 600, 260, 44];
      const every = Object.values(state.lines).flat(2);
      const [xs, ys] = [ticks(0, Math.max(...every.map(([x]) => x))), ticks(...[Math.min, Math.max].map((pick) => pick(...every.map(([, y]) => y))))];
      const x = (value) => left + width * value / xs.at(-1);
      const y = (value) => 10 + tall * (ys.at(-1) - value) / (ys.at(-1) - ys[0]);
      const grid = ys.flatMap((value) => [
        h("path", { class: "cnn-rule", d: `M${left},${y(value)}H${left + width}` }),
        h("text", { class: "cnn-label cnn-before", x: left - 6, y: y(value) }, written(state, value).replace(/\.0$/, "")),
      ]);
      const few = xs.filter((_, i) => xs.length < 6 || i % 2 === 0);
      const below = few.map((value) => h("text", { class: "cnn-label", x: x(value), y: tall + 24 }, number(Math.round(100 * value) / 100)));
      const runs = state.shown.flatMap((name, slot) => state.lines[name].flatMap((points) => {
        const places = points.map(([across, up]) => [x(across), y(up)]);
        const end = dot(...places.at(-1), slot);
        return places.length > 1 ? [line(`M${places.map(([a, b]) => `${a.toFixed(1)},${b.toFixed(1)}`).join("L")}`, slot), end] : [end];
      }));
      const said = h("text", { class: "cnn-label", x: left + width / 2, y: tall + 42 }, state.across);
      return drawing(left + width + 16, tall + 50, ...grid, ...below, said, ...runs);
    }

    // What the plot shows: along epochs and minutes a row for each of them, or else one for each network.
    function rows() {
      const seeds = Math.max(...state.shown.map((name) => state.lines[name].length));
      const head = Array.from({ length: seeds }, (_, i) => `run ${i + 1}`);
      if (!CURVES.includes(state.across) || state.up === UP[3]) {
        const ends = state.shown.map((name) => [name, number(Math.round(100 * state.lines[name][0].at(-1)[0]) / 100), ...state.lines[name].map((points) => written(state, points.at(-1)[1]))]);
        return table(`At the end: ${state.up}`, ["network", state.across, ...head], ends);
      }
      const epochs = state.lines[state.shown[0]][0].map((_, i) => [i + 1, ...state.shown.map((name) => state.lines[name].map((points) => (points[i] ? written(state, points[i][1]) : "–")).join(" · "))]);
      return table(`Epoch by epoch: ${state.up}, run by run`, ["epoch", ...state.shown], epochs);
    }

    function draw() {
      state = readState(model);
      result.textContent = describe(state);
      figure.classList.toggle("cnn-broken", Boolean(state.error));
      save.disabled = Boolean(state.error);
      if (!state.names) return;
      axes.forEach(([name, control]) => control.set(state[name]));
      for (const [name, box] of boxes) {
        const slot = state.shown.indexOf(name);
        box.set(slot >= 0);
        box.querySelector("input").disabled = slot < 0 && state.shown.length === MOST;
        swatches[name].replaceChildren(...(slot < 0 ? [] : [h("svg", { width: 34, height: 12, "aria-hidden": "true" }, line("M1,6H33", slot), dot(17, 6, slot))]));
      }
      panel.replaceChildren(...(state.error ? [] : [plot()]));
      twin.replaceChildren(...(state.error ? [] : [rows()]));
    }

    const figure = h("div", { class: "cnn-figure", role: "group", "aria-label": "Runs compared" },
      h("div", { class: "cnn-controls cnn-many", role: "group", "aria-label": `Networks, at most ${MOST}` }, ...boxes.map(([, box]) => box)),
      h("div", { class: "cnn-actions" }, ...axes.map(([, control]) => control), save), result,
      h("div", { class: "cnn-panels" }, panel), h("details", {}, h("summary", {}, "As a table"), twin));
    el.append(figure);
    model.on("change", draw);
    draw();
    return () => model.off("change", draw);
  },
};
