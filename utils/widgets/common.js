// Shared by all figures: the arithmetic (tested against utils.arithmetic and utils.functional on one table of
// cases) and the few DOM helpers. In a notebook it stands before the figure's module; on the site it is there once.

// What the sliders and number fields allow: [least, most]. The Python traits have the same limits.
const BOUNDS = {
  kernel_stepper: { size: [3, 10], kernel_size: [1, 5], stride: [1, 4], padding: [0, 4], dilation: [1, 3] },
  convolution_matrix: { size: [3, 6], kernel_size: [1, 4], stride: [1, 3], padding: [0, 2] },
  layer_ledger: {
    channels: [1, 2048], height: [1, 512], width: [1, 512], out_channels: [1, 2048], kernel_size: [1, 31],
    stride: [1, 16], padding: [0, 15], dilation: [1, 16], groups: [1, 2048], out_features: [1, 100000],
  },
};
const LAYER_FIELDS = {
  conv: { out_channels: 10, kernel_size: 3, stride: 1, padding: 1, dilation: 1, groups: 1 },
  maxpool: { kernel_size: 2, stride: 2 },
  flatten: {},
  linear: { out_features: 10 },
};
const IMAGES = ["edge", "corner", "spot", "counting"];
const KERNELS = ["vertical edge", "blur", "sharpen", "identity", "counting"];

function convOutputSize(size, kernelSize, stride = 1, padding = 0, dilation = 1) {
  const reach = dilation * (kernelSize - 1) + 1;
  const padded = size + 2 * padding;
  if (reach > padded) {
    const spread = dilation === 1 ? "" : ` (spread over ${reach} by dilation ${dilation})`;
    throw new Error(`kernel ${kernelSize}${spread} is larger than padded input ${padded} (size ${size} + 2·${padding}): no output`);
  }
  return Math.floor((padded - reach) / stride) + 1;
}

function convParameterCount(inChannels, outChannels, kernelSize, groups = 1, bias = true) {
  for (const [name, channels] of [["in_channels", inChannels], ["out_channels", outChannels]]) {
    if (channels % groups) throw new Error(`groups must divide ${name}: ${channels} is not a multiple of ${groups}`);
  }
  return (outChannels * inChannels / groups) * kernelSize ** 2 + (bias ? outChannels : 0);
}

function square(size, value) {
  return Array.from({ length: size }, (_, row) => Array.from({ length: size }, (_, column) => value(row, column)));
}

function makeImage(name, size) {
  const late = (index) => 2 * index >= size;
  const middle = Math.floor((size - 1) / 2);
  return square(size, (row, column) => ({
    edge: late(column) ? 6 : 1,
    corner: late(row) && late(column) ? 6 : 1,
    spot: row === middle && column === middle ? 1 : 0,
    counting: (row * size + column) % 10,
  })[name]);
}

function makeKernel(name, size) {
  const middle = Math.floor((size - 1) / 2); // an even kernel has no centre: torch, too, leans left
  const crossing = (row, column) => Math.abs(row - middle) + Math.abs(column - middle);
  const arms = square(size, crossing).flat().filter((distance) => distance === 1).length;
  return square(size, (row, column) => ({
    "vertical edge": size === 1 ? 1 : Math.sign(2 * column - size + 1),
    blur: 1,
    sharpen: [arms + 1, -1][crossing(row, column)] ?? 0,
    identity: crossing(row, column) ? 0 : 1,
    counting: row * size + column + 1,
  })[name]);
}

// Where each weight of the kernel lies for one output; value is null on the padding.
function tapsAt(image, kernel, row, column, stride = 1, padding = 0, dilation = 1) {
  return kernel.flatMap((weights, i) => weights.map((weight, j) => {
    const r = row * stride - padding + i * dilation;
    const c = column * stride - padding + j * dilation;
    return { row: r, column: c, weight, value: image[r]?.[c] ?? null };
  }));
}

function sumTaps(taps) {
  return taps.reduce((sum, tap) => sum + tap.weight * tap.value, 0);
}

function convolve(image, kernel, stride = 1, padding = 0, dilation = 1) {
  const size = convOutputSize(image.length, kernel.length, stride, padding, dilation);
  return square(size, (row, column) => sumTaps(tapsAt(image, kernel, row, column, stride, padding, dilation)));
}

// The rows (or columns) of the input that no position of the kernel ever touches.
function unreadLines(size, kernelSize, stride = 1, padding = 0, dilation = 1) {
  const read = new Set();
  for (let out = 0; out < convOutputSize(size, kernelSize, stride, padding, dilation); out++) {
    for (let tap = 0; tap < kernelSize; tap++) read.add(out * stride - padding + tap * dilation);
  }
  return [...Array(size).keys()].filter((index) => !read.has(index));
}

// W with one row per output and one column per input pixel, in reading order: W · image = convolve(image).
function convolutionMatrix(size, kernel, stride = 1, padding = 0) {
  const image = square(size, () => 0);
  const outputs = convOutputSize(size, kernel.length, stride, padding);
  return square(outputs, (row, column) => {
    const entries = Array(size * size).fill(0);
    for (const tap of tapsAt(image, kernel, row, column, stride, padding)) {
      if (tap.value !== null) entries[tap.row * size + tap.column] = tap.weight;
    }
    return entries;
  }).flat();
}

function layerRow(layer, shape) {
  const spatial = shape.length === 3;
  const row = { kind: layer.kind, parameters: 0, macs: 0, dense_parameters: null };
  if (layer.kind === "flatten") {
    row.output_shape = [shape.reduce((a, b) => a * b)];
  } else if (layer.kind === "linear") {
    if (spatial) throw new Error(`a dense layer takes a flat input, got ${shape.join(" × ")}: flatten first`);
    row.output_shape = [layer.out_features];
    row.macs = shape[0] * layer.out_features;
    row.parameters = row.macs + layer.out_features;
  } else {
    if (!spatial) throw new Error(`this layer takes channels × height × width, got ${shape[0]} flat values`);
    const [channels, ...size] = shape;
    const out = size.map((n) => convOutputSize(n, layer.kernel_size, layer.stride, layer.padding, layer.dilation));
    row.output_shape = [layer.kind === "conv" ? layer.out_channels : channels, ...out];
    if (layer.kind === "conv") {
      const weights = convParameterCount(channels, layer.out_channels, layer.kernel_size, layer.groups, false);
      row.parameters = weights + layer.out_channels;
      row.macs = weights * out[0] * out[1];
      // Past 2^53 a Number would round it.
      const values = (shape) => shape.reduce((a, b) => a * BigInt(b), 1n);
      row.dense_parameters = (values(shape) + 1n) * values(row.output_shape);
    }
  }
  // Flatten is a view of what is already there: it stores nothing.
  row.activations = layer.kind === "flatten" ? 0 : row.output_shape.reduce((a, b) => a * b);
  return row;
}

// One row per layer up to the first that breaks a rule, which says so in `error`; null for those after it.
function ledgerRows(input, layers) {
  let shape = input;
  return layers.map((layer) => {
    if (shape === null) return null;
    try {
      const row = layerRow(layer, shape);
      shape = row.output_shape;
      return row;
    } catch (error) {
      shape = null;
      return { kind: layer.kind, error: error.message };
    }
  });
}

// ---- text

function number(value) {
  return value.toLocaleString("en-US").replace("-", "−");
}

function count(value, noun) {
  return `${number(value)} ${noun}${value === 1 || value === 1n ? "" : "s"}`;
}

function sentence(text) {
  return text[0].toUpperCase() + text.slice(1) + ".";
}

function products(taps) {
  return taps.map((tap) => `${number(tap.weight)}·${number(tap.value ?? 0)}`).join(" + ");
}

// ---- state: what comes from an address or a kernel may be anything

function whole(value, [least, most], fallback) {
  return Number.isInteger(value) ? Math.min(Math.max(value, least), most) : fallback ?? least;
}

function bounded(model, figure) {
  const entries = Object.entries(BOUNDS[figure]);
  return Object.fromEntries(entries.map(([name, bounds]) => [name, whole(model.get(name), bounds)]));
}

function assign(model, changes) {
  for (const [name, value] of Object.entries(changes)) model.set(name, value);
  model.save_changes();
}

// ---- DOM

function h(tag, attributes = {}, ...children) {
  const drawn = ["svg", "g", "rect", "path", "text", "title"].includes(tag);
  const node = document.createElementNS(`http://www.w3.org/${drawn ? "2000/svg" : "1999/xhtml"}`, tag);
  // JupyterLab's command mode would eat the arrow keys.
  if (["input", "select", "button"].includes(tag) || "tabindex" in attributes) node.dataset.lmSuppressShortcuts = "true";
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

function button(label, click, attributes = {}) {
  return h("button", { type: "button", class: "cnn-button", click, ...attributes }, label);
}

// A slider that writes the trait `name` and has set(value) to follow it.
function slider(model, figure, name, label, role) {
  const [min, max] = BOUNDS[figure][name];
  const shown = h("span", { class: "cnn-at" }); // not an <output>: the label would belong to it
  const input = h("input", { type: "range", min, max, step: 1, input: () => assign(model, { [name]: +input.value }) });
  const node = h("label", { class: `cnn-slider cnn-as-${role}` }, h("span", {}, label, " ", shown), input);
  node.set = (value) => { input.value = value; shown.textContent = value; };
  return node;
}

function choice(label, options, change) {
  const select = h("select", { change: () => change(select.value) }, ...options.map((name) => h("option", { value: name }, name)));
  const node = h("label", { class: "cnn-choice" }, h("span", {}, label), select);
  node.set = (value) => { select.value = value; };
  return node;
}

function checkbox(label, change) {
  const input = h("input", { type: "checkbox", change: () => change(input.checked) });
  const node = h("label", { class: "cnn-check" }, input, h("span", {}, label));
  node.set = (value) => { input.checked = value; };
  return node;
}

// Cells to point at are bigger for a finger than for a mouse; those to read are smaller on a telephone.
function cellSize(fine) {
  return matchMedia("(pointer: coarse)").matches ? 44 : fine;
}

function readCellSize() {
  return matchMedia("(max-width: 500px)").matches ? 32 : 36;
}

// One cell of a grid. corner: the weight that lies on it; low: with room for one.
function drawCell({ x, y, size, width = size, role, text, tint = 0, corner = null, low = corner !== null, unread = false, strong = false }) {
  const inset = role === "output" ? 2 : 0;
  const box = { x: x + inset, y: y + inset, width: width - 2 * inset, height: size - 2 * inset, rx: role === "output" ? 8 : 0 };
  const half = size / 2;
  // Padding is hatched; pixels that are never read are crossed out.
  const hatch = unread
    ? `M${x},${y}l${size},${size}M${x + size},${y}l${-size},${size}`
    : `M${x},${y + half}l${half},${-half}M${x},${y + size}l${size},${-size}M${x + half},${y + size}l${half},${-half}`;
  return h("g", { class: `cnn-cell cnn-as-${role}${strong ? " cnn-strong" : ""}${unread ? " cnn-unread" : ""}` },
    inset ? h("rect", { x, y, width, height: size, class: "cnn-hit" }) : null,
    h("rect", { ...box, class: "cnn-tint", "fill-opacity": role === "padding" ? 0 : tint }),
    role === "padding" || unread ? h("path", { class: "cnn-hatch", d: hatch }) : null,
    h("rect", { ...box, class: "cnn-border" }),
    corner === null ? null : h("text", { class: "cnn-corner", x: x + width - 4, y: y + 10 }, corner),
    h("text", { class: "cnn-value", x: x + width / 2 - (corner !== null && String(text).length < 3 ? 4 : 0), y: y + size * (low ? 0.68 : 0.5) }, text));
}

function drawing(width, height, ...children) {
  // Two pixels of margin: frames are drawn on the outer edge.
  const view = `-2 -2 ${width + 4} ${height + 4}`;
  return h("svg", { viewBox: view, width: width + 4, height: height + 4, "aria-hidden": "true" }, ...children);
}

function table(caption, header, rows) {
  const cells = (tag, row) => h("tr", {}, ...row.map((cell, i) => h(i ? tag : "th", { scope: tag === "th" ? "col" : i ? null : "row" }, cell)));
  return h("table", {}, h("caption", {}, caption), h("thead", {}, cells("th", header)), h("tbody", {}, ...rows.map((row) => cells("td", row))));
}

// The drawings side by side as one file, in the colours they have on the page right now.
function saveSvg(name, drawings) {
  const looks = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "font-family", "font-size", "font-weight", "text-anchor", "dominant-baseline"];
  let page = drawings[0];
  while (page && getComputedStyle(page).backgroundColor === "rgba(0, 0, 0, 0)") page = page.parentElement;
  let width = 12;
  const copies = drawings.map((source) => {
    const copy = source.cloneNode(true);
    const originals = source.querySelectorAll("*");
    copy.querySelectorAll("*").forEach((node, i) => looks.forEach((look) => node.style.setProperty(look, getComputedStyle(originals[i])[look])));
    copy.setAttribute("x", width);
    copy.setAttribute("y", 12);
    width += source.width.baseVal.value + 24;
    return copy;
  });
  const height = 24 + Math.max(...drawings.map((source) => source.height.baseVal.value));
  const card = h("rect", { width: "100%", height: "100%", fill: page ? getComputedStyle(page).backgroundColor : "#fff" });
  const file = h("svg", { width: width - 12, height, viewBox: `0 0 ${width - 12} ${height}` }, card, ...copies);
  const url = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(file)], { type: "image/svg+xml" }));
  h("a", { href: url, download: `${name}.svg` }).click();
  URL.revokeObjectURL(url);
}
