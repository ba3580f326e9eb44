// Draw a digit: LeNet-5's maps, its ten probabilities, and the patch and the kernel behind a unit.

const PAD = 280; // pixels on the screen
const BELOW = { S2: "C1", C3: "S2", S4: "C3", C5: "S4", F6: "C5", scores: "F6" };
const DIGITS = 30;
const DIGIT_BYTES = EDGE ** 2 + 1; // a label, and pixels

function readState(model) {
  const { digit, ...moves } = bounded(model, "draw_digit");
  const own = bytesOf(model.get("drawing"), EDGE ** 2 / 2);
  const digits = bytesOf(model.get("digits"), DIGITS * DIGIT_BYTES) ?? new Uint8Array(DIGITS * DIGIT_BYTES);
  const at = digit * DIGIT_BYTES;
  const pixels = own ? [...own].flatMap((pair) => [(pair >> 4) * 17, (pair & INK) * 17]) : [...digits.subarray(at + 1, at + DIGIT_BYTES)];
  const centre = model.get("centre") !== false;
  const inked = thickened(turned(centre ? centred(pixels) : pixels, moves.turn), moves.thickness);
  const image = shift(inked, moves.down, moves.right).map((value) => value / 255);
  const tensors = readNetwork(model.get("weights"));
  const layer = Object.hasOwn(LAYERS, model.get("layer")) ? model.get("layer") : "C1";
  const given = Array.isArray(model.get("unit")) ? model.get("unit") : [];
  const unit = LAYERS[layer].shape.map((n, axis) => whole(given[axis], [0, n - 1]));
  const labels = listOf(DIGITS, (i) => digits[i * DIGIT_BYTES] % 10);
  return { digit, ...moves, labels, label: own ? null : labels[digit], pixels, centre, image, tensors, layer, unit, ...readLayers(tensors, image) };
}

function hundredths(value) {
  return number(Math.sign(value) * Math.floor(100 * Math.abs(value) + 0.5) / 100 || 0);
}

// The first row and column of the image that the unit sees, and how many; they may lie in the padding.
function seenBy({ layer, unit: [, row, column] }) {
  const { field, start, step } = LAYERS[layer];
  return field === EDGE ? [0, 0, EDGE] : [start + step * row, start + step * column, field];
}

const ranked = (shares) => shares.map((_, i) => i).sort((a, b) => shares[b] - shares[a] || a - b);

function describe(state) {
  const { label, shares, layer, unit: [m, row, column], values } = state;
  const a = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;
  const [first, second] = ranked(shares);
  const what = label === null ? "Your drawing" : `A test digit, ${a(label)},`;
  const read = `${what} is read as ${a(first)}: probability ${percentage(shares[first])}, then ${a(second)}, ${percentage(shares[second])}.`;
  const [, rows, columns] = LAYERS[layer].shape;
  const value = hundredths(values[layer][(m * rows + row) * columns + column]);
  if (layer === "scores") return `${read} The score of ${column} is ${value}.`;
  if (LAYERS[layer].field === EDGE) return `${read} Unit ${row * columns + column + 1} of ${layer} is ${value}.`;
  const [top, left, field] = seenBy(state);
  const lines = (low) => `${Math.max(0, low) + 1} to ${Math.min(EDGE, low + field)}`;
  return `${read} Map ${m + 1} of ${layer}, row ${row + 1}, column ${column + 1} is ${value}; it sees rows ${lines(top)} and columns ${lines(left)}.`;
}

// What the unit reads and multiplies: `shape` is (maps, rows, columns) of both lists.
function behind({ layer, unit: [m, row, column], image, values, tensors }) {
  const index = row * LAYERS[layer].shape[2] + column;
  const patches = (maps, count, side, f, top, left) => listOf(count * f * f, (i) => {
    const [r, c] = [top + Math.floor(i / f) % f, left + i % f];
    return r >= 0 && r < side && c >= 0 && c < side ? maps[(Math.floor(i / f / f) * side + r) * side + c] : 0;
  });
  const slice = (first, n) => {
    const size = tensors[first].length / tensors[first + 1].length;
    return { weights: tensors[first].slice(n * size, (n + 1) * size), bias: tensors[first + 1][n] };
  };
  if (layer === "C1") return { shape: [1, 5, 5], reads: patches(image, 1, EDGE, 5, row - 2, column - 2), ...slice(0, m) };
  if (layer === "C3") return { shape: [6, 5, 5], reads: patches(values.S2, 6, 14, 5, row, column), ...slice(2, m) };
  if (layer === "S2" || layer === "S4") {
    const side = LAYERS[BELOW[layer]].shape[1];
    const map = values[BELOW[layer]].slice(m * side ** 2, (m + 1) * side ** 2);
    return { shape: [1, 2, 2], reads: patches(map, 1, side, 2, 2 * row, 2 * column), weights: Array(4).fill(0.25), bias: 0 };
  }
  return { shape: LAYERS[BELOW[layer]].shape, reads: values[BELOW[layer]], ...slice({ C5: 4, F6: 6, scores: 8 }[layer], index) };
}

// Maps side by side as levels of one picture, with a pixel between them; `most` is black or orange.
function mosaic(values, [maps, height, width], across, most = 1) {
  const levels = listOf(Math.ceil(maps / across) * (height + 1) - 1, () => Array(Math.min(maps, across) * (width + 1) - 1).fill(-1));
  values.forEach((value, i) => {
    const [m, row, column] = [Math.floor(i / height / width), Math.floor(i / width) % height, i % width];
    levels[Math.floor(m / across) * (height + 1) + row][(m % across) * (width + 1) + column] = 128 + Math.floor((127 * value) / most + 0.5);
  });
  return levels;
}

// A picture of levels in a drawing that is as many units wide and high, with a layer for marks.
function screen(label, role, width, keys) {
  const [image, marks] = [h("image", { style: "image-rendering: pixelated" }), h("g", { class: "cnn-marks" })];
  const svg = h("svg", { width: width * enlarged(), "aria-hidden": "true" }, image, marks);
  const heading = h("p", { class: "cnn-heading" }, label);
  const box = h("div", keys ? { class: "cnn-pad cnn-drag", tabindex: 0, role: "application", ...keys } : {}, svg);
  const put = (levels, signed) => {
    const [across, down] = [levels[0].length, levels.length];
    image.setAttribute("href", paint(levels, signed));
    for (const [node, sizes] of [[image, { width: across, height: down }], [svg, { viewBox: `0 0 ${across} ${down}`, height: (width * enlarged() * down) / across }]]) {
      for (const [name, value] of Object.entries(sizes)) node.setAttribute(name, value);
    }
  };
  return { svg, heading, box, marks, put, panel: h("div", { class: `cnn-panel cnn-as-${role}` }, heading, box) };
}

const ring = (role, x, y, width, height = width) => h("rect", { class: `cnn-ring cnn-as-${role}`, x, y, width, height });
const dashes = (x, y, width) => h("rect", { class: "cnn-ring cnn-as-padding cnn-dashes", x, y, width, height: width });

export default {
  render({ model, el }) {
    let state = readState(model);
    let [pen, down, last] = [[14.5, 14.5], false, null]; // where the pen is, whether a key has lowered it, where a stroke goes on
    const result = h("p", { class: "cnn-result cnn-steady", "aria-live": "polite" });
    const twin = h("div", { class: "cnn-scroll", tabindex: 0, role: "group", "aria-label": "Tables" });
    const details = h("details", { toggle: () => drawTables() }, h("summary", {}, "As tables"), twin);
    let erases = false;
    const eraser = checkbox("Erase", (on) => { erases = on; });

    function stroke(place, through = []) {
      let pixels = state.pixels;
      for (const next of [...through, place]) [pixels, last] = [penned(pixels, last ?? next, next, erases), next];
      pen = place;
      assign(model, { drawing: packDrawing(pixels) });
    }

    function onPadKey(event) {
      const by = arrow(event);
      if (event.key === " ") {
        event.preventDefault();
        down = !down;
        if (down) [last] = [null, stroke(pen)];
        draw();
      } else if (by) {
        last = pen;
        pen = pen.map((at, axis) => Math.min(EDGE - 0.5, Math.max(0.5, at + by[axis])));
        if (down) stroke(pen);
        else draw();
      }
    }

    const pad = screen("", "input", PAD, { "aria-label": "Drawing: the arrow keys move the pen, the space bar lowers and lifts it", keydown: onPadKey });
    const input = screen("What the network reads", "input", 168);
    pad.heading.setAttribute("aria-live", "polite");
    const onPad = ([x, y]) => [y * EDGE, x * EDGE];
    const draws = (x, y, through) => stroke(onPad([x, y]), through?.map(onPad));
    dragging(pad.box, draws, () => true, (x, y) => { last = null; draws(x, y); });

    // The unit at a row and a column of a layer's picture.
    function choose(layer, row, column) {
      const { shape: [maps, height, width], across } = LAYERS[layer];
      const inside = (at, size, most) => Math.min(Math.max(0, Math.floor(at)), most * (size + 1) - 2);
      const [r, c] = [inside(row, height, Math.ceil(maps / across)), inside(column, width, across)];
      const map = Math.floor(r / (height + 1)) * across + Math.floor(c / (width + 1));
      assign(model, { layer, unit: [map, Math.min(r % (height + 1), height - 1), Math.min(c % (width + 1), width - 1)] });
    }

    function placeOf(layer, [m, row, column]) {
      const { shape: [, height, width], across } = LAYERS[layer];
      return [Math.floor(m / across) * (height + 1) + row, (m % across) * (width + 1) + column];
    }

    const screens = Object.fromEntries(Object.entries(LAYERS).map(([layer, { shape: [maps, height, width], across }]) => {
      const step = (event) => {
        const by = arrow(event);
        if (!by) return;
        const [row, column] = placeOf(layer, state.layer === layer ? state.unit : [0, height >> 1, width >> 1]);
        // Over the gap between two maps.
        const over = (at, move, size) => at + move + ((at + move + 1) % (size + 1) === 0 ? move : 0);
        choose(layer, over(row, by[0], height), over(column, by[1], width));
      };
      const name = maps > 1 ? `${layer}: ${maps} maps of ${height} × ${width}` : layer === "scores" ? "Scores of the ten digits" : `${layer}: ${height * width} units`;
      const made = screen(name, "output", maps > 1 ? 340 : layer === "scores" ? 240 : 12 * width, { "aria-label": `${name}: the arrow keys choose a unit`, keydown: step });
      dragging(made.box, (x, y) => choose(layer, y * (Math.ceil(maps / across) * (height + 1) - 1), x * (Math.min(maps, across) * (width + 1) - 1)), () => false);
      return [layer, made];
    }));
    screens.scores.panel.append(h("div", { class: "cnn-ten", "aria-hidden": "true" }, ...listOf(10, (i) => h("span", {}, i))));
    const enlarged = screen("", "output", 224);
    enlarged.box.classList.add("cnn-pad", "cnn-map"); // for a finger or a mouse: the arrow keys have the layer's own picture
    dragging(enlarged.box, (x, y) => {
      const { layer, unit: [m] } = state;
      const [, height, width] = LAYERS[layer].shape;
      assign(model, { unit: [m, whole(Math.floor(y * height), [0, height - 1]), whole(Math.floor(x * width), [0, width - 1])] });
    }, () => false);
    const [reads, kernel] = [screen("It reads", "input", 200), screen("times the weights", "kernel", 200)];
    const sum = h("p", { class: "cnn-products" });
    const bars = h("div", { class: "cnn-bars", "aria-hidden": "true" });
    const names = state.labels.map((label, i) => `${i + 1}: a test digit, ${label}`);
    const digits = choice("Digit", [...names, "your own"], (name) => assign(model, names.includes(name) ? { digit: names.indexOf(name), drawing: "" } : { drawing: packDrawing(state.pixels) }));
    const centre = checkbox("Centre, as MNIST does", (value) => assign(model, { centre: value }));
    const sliders = [["turn", "Turn, degrees"], ["thickness", "Thickness"], ["down", "Down"], ["right", "To the right"]].map(([name, label]) => [name, slider(model, "draw_digit", name, label, "input")]);
    sliders[0][1].querySelector("input").step = 15;
    const unmoved = { turn: 0, thickness: 0, down: 0, right: 0 };
    const clear = button("Clear", () => { last = null; assign(model, { ...unmoved, drawing: packDrawing(Array(EDGE ** 2).fill(0)) }); });
    const reset = button("Sliders to 0", () => assign(model, unmoved));

    function drawBehind() {
      const { shape, reads: inputs, weights, bias } = behind(state);
      const across = Math.min(4, shape[0]);
      const [gray, most] = [state.layer === "C1", Math.max(1e-9, ...weights.map(Math.abs))];
      const levels = mosaic(inputs, shape, across);
      reads.put(gray ? levels.map((line) => line.map((level) => (level < 0 ? level : Math.max(0, 2 * level - 256)))) : levels, !gray);
      kernel.put(mosaic(weights, shape, across, most), true);
      const each = inputs.length / shape[0];
      const parts = listOf(shape[0], (k) => inputs.slice(k * each, (k + 1) * each).reduce((total, value, i) => total + value * weights[k * each + i], 0));
      const total = parts.reduce((all, part) => all + part, bias);
      const ends = { S2: ": a mean", S4: ": a mean", scores: ": a score" }[state.layer] ?? `; its tanh is ${hundredths(Math.tanh(total))}`;
      sum.textContent = `${parts.map(hundredths).join(" + ")}${state.layer[0] === "S" ? "" : ` + bias ${hundredths(bias)}`} = ${hundredths(total)}${ends}`;
      kernel.heading.textContent = `times the weights, up to ${hundredths(most)}`;
    }

    function drawEnlarged() {
      const { layer, unit: [m, row, column], values } = state;
      const [maps, height, width] = LAYERS[layer].shape;
      enlarged.panel.hidden = maps === 1;
      if (maps === 1) return; // large enough, and scores are not in −1 … 1
      enlarged.heading.textContent = `Map ${m + 1} of ${layer}`;
      enlarged.put(mosaic(values[layer].slice(m * height * width, (m + 1) * height * width), [1, height, width], 1), true);
      enlarged.marks.replaceChildren(ring("output", column, row, 1));
    }

    function drawMarks() {
      const [top, left, field] = seenBy(state);
      input.marks.replaceChildren(ring("kernel", left, top, field));
      pad.marks.replaceChildren(dashes(4, 4, 20), ring(down ? "kernel cnn-pen" : "output cnn-pen", pen[1] - 1, pen[0] - 1, 2));
      const [, row, column] = state.unit;
      for (const [layer, { marks }] of Object.entries(screens)) {
        const read = layer !== BELOW[state.layer] || LAYERS[state.layer].field === EDGE ? [] : state.layer === "C3"
          ? listOf(6, (m) => [m, row, column, 5]) : [[state.unit[0], 2 * row, 2 * column, 2]];
        const rings = read.map(([m, r, c, size]) => { const [y, x] = placeOf(layer, [m, r, c]); return ring("kernel", x, y, size); });
        const [y, x] = placeOf(layer, state.unit);
        marks.replaceChildren(...rings, ...(layer === state.layer ? [ring("output", x - 1, y - 1, 3)] : []));
      }
    }

    function drawTables() {
      if (!details.open) return;
      const { shape: [maps, height, width], reads: inputs, weights } = behind(state);
      const grid = (list, m) => listOf(height, (r) => list.slice((m * height + r) * width, (m * height + r + 1) * width));
      const answers = table("Answers", ["digit", "score", "probability"], state.shares.map((share, i) => [i, hundredths(state.values.scores[i]), percentage(share)]));
      twin.replaceChildren(answers, ...listOf(maps, (m) => [gridTable(`It reads, map ${m + 1}`, grid(inputs, m), hundredths), gridTable(`Weights, map ${m + 1}`, grid(weights, m), hundredths)]).flat());
    }

    function draw() {
      state = readState(model);
      const { values, shares, label, digit } = state;
      const gray = (list) => listOf(EDGE, (r) => list.slice(r * EDGE, (r + 1) * EDGE).map((value) => Math.floor(value + 0.5)));
      pad.put(gray(state.pixels));
      input.put(gray(state.image.map((value) => 255 * value)));
      pad.heading.textContent = `Draw here${down ? ": the pen is down" : ""}`;
      const most = Math.max(1e-9, ...values.scores.map(Math.abs));
      for (const [layer, { put }] of Object.entries(screens)) put(mosaic(values[layer], LAYERS[layer].shape, LAYERS[layer].across, layer === "scores" ? most : 1), true);
      bars.replaceChildren(...shares.map((share, i) => h("div", { class: "cnn-share" }, h("span", {}, i), h("span", { class: "cnn-bar", style: `--cnn-share: ${100 * share}%` }), h("span", {}, percentage(share)))));
      digits.set(label === null ? "your own" : names[digit]);
      centre.set(state.centre);
      for (const [name, control] of sliders) control.set(state[name]);
      drawMarks();
      drawEnlarged();
      drawBehind();
      drawTables();
      result.textContent = describe(state);
    }

    const save = () => saveSvg("draw-digit", [input, ...Object.values(screens), reads, kernel].map(({ svg }) => svg));
    const group = (kind, ...children) => h("div", { class: kind }, ...children);
    el.append(h("div", { class: "cnn-figure", role: "group", "aria-label": "LeNet-5 reads a digit" },
      group("cnn-actions cnn-line-up", digits, clear, eraser), result,
      group("cnn-panels cnn-close", pad.panel, group("cnn-panel", input.panel, centre), group("cnn-panel cnn-shares cnn-as-output", h("p", { class: "cnn-heading" }, "Probabilities"), bars)),
      group("cnn-controls", ...sliders.map(([, control]) => control)), group("cnn-actions", reset),
      group("cnn-maps", ...Object.values(screens).map(({ panel }) => panel)),
      group("cnn-panels cnn-close", enlarged.panel, reads.panel, kernel.panel), sum,
      group("cnn-actions", button("Save SVG", save)), details));
    model.on("change", draw);
    draw();
    return () => model.off("change", draw);
  },
};
