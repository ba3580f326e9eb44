// The figures' arithmetic, tested against utils.arithmetic and utils.functional on one table of cases. In a notebook it
// stands, like common.js, before the figure's module; on the site both are there once a page.

// What the sliders and number fields allow: [least, most]. The Python traits have the same limits.
const BOUNDS = {
  architecture_explorer: { selected: [0, Infinity] },
  kernel_stepper: { size: [3, 10], kernel_size: [1, 5], stride: [1, 4], padding: [0, 4], dilation: [1, 3] },
  convolution_matrix: { size: [3, 6], kernel_size: [1, 4], stride: [1, 3], padding: [0, 2] },
  transposed_convolution: { size: [1, 4], kernel_size: [1, 4], stride: [1, 3], padding: [0, 3], output_padding: [0, 2] },
  pooling: { size: [3, 8], kernel_size: [1, 4], stride: [1, 4], padding: [0, 2] },
  receptive_field_tower: { size: [5, 32], kernel_size: [1, 7], stride: [1, 4], padding: [0, 3], dilation: [1, 4] },
  channel_mixer: { in_channels: [1, 6], out_channels: [1, 6], groups: [1, 6], kernel_size: [1, 3], channel: [0, 5] },
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
const POOLED_IMAGES = ["scattered", "spot", "edge", "negative"];
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

function convTransposeOutputSize(size, kernelSize, stride = 1, padding = 0, outputPadding = 0) {
  if (outputPadding >= stride) throw new Error(`output_padding ${outputPadding} must be smaller than stride ${stride} or dilation 1`);
  const full = (size - 1) * stride + kernelSize + outputPadding;
  if (full <= 2 * padding) throw new Error(`padding ${padding} on both sides crops all of the ${full} output cells: no output`);
  return full - 2 * padding;
}

function poolOutputSize(size, kernelSize, stride, padding = 0, dilation = 1, ceilMode = false) {
  stride ??= kernelSize;
  if (padding > Math.floor(kernelSize / 2)) throw new Error(`padding ${padding} is more than half of kernel ${kernelSize}`);
  if (!ceilMode) return convOutputSize(size, kernelSize, stride, padding, dilation);
  const padded = size + 2 * padding;
  const rounded = Math.ceil((padded - dilation * (kernelSize - 1) - 1) / stride) + 1;
  const count = (rounded - 1) * stride >= size + padding ? rounded - 1 : rounded;
  if (count < 1) {
    throw new Error(`kernel ${kernelSize} is larger than padded input ${padded} (size ${size} + 2·${padding})`
      + ` by more than ceil_mode can make up for with stride ${stride}: no output`);
  }
  return count;
}

// The receptive field of a chain of layers along one axis, each [kernelSize, stride, padding, dilation].
function receptiveField(layers) {
  let [size, jump, start] = [1, 1, 0];
  for (const [kernelSize, stride = 1, padding = 0, dilation = 1] of layers) {
    size += dilation * (kernelSize - 1) * jump;
    start -= padding * jump;
    jump *= stride;
  }
  return { size, jump, start };
}

// What a unit of such a layer reads of the row below, the padding included.
function unitReads([kernelSize, stride, padding, dilation], unit) {
  return Array.from({ length: kernelSize }, (_, tap) => unit * stride - padding + tap * dilation);
}

// By how many paths a unit reaches each unit below it, or a pixel (row 0) each unit above; units[r] is the length of row r.
function countPaths(layers, units, row, position) {
  const paths = units.map((length) => Array(length).fill(0));
  paths[row][position] = 1;
  for (let r = row; r > 0; r--) {
    paths[r].forEach((ways, unit) => unitReads(layers[r - 1], unit).forEach((below) => {
      if (below in paths[r - 1]) paths[r - 1][below] += ways;
    }));
  }
  for (let r = 1; row === 0 && r < units.length; r++) {
    paths[r] = paths[r].map((_, unit) => unitReads(layers[r - 1], unit).reduce((sum, below) => sum + (paths[r - 1][below] ?? 0), 0));
  }
  return paths;
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
  const scattered = (row, column) => (4 * row * row + 3 * column * column + 4 * row * column + 3 * row + 3) % 10;
  return square(size, (row, column) => ({
    scattered: scattered(row, column),
    negative: scattered(row, column) - 10,
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

// Every pixel lays a copy of the kernel, times its value, at its place, and what overlaps adds up; then the crop.
function convTranspose(image, kernel, stride = 1, padding = 0, outputPadding = 0) {
  const size = convTransposeOutputSize(image.length, kernel.length, stride, padding, outputPadding);
  const out = square(size, () => 0);
  image.forEach((line, i) => line.forEach((value, j) => kernel.forEach((weights, r) => weights.forEach((weight, s) => {
    const [row, column] = [i * stride + r - padding, j * stride + s - padding];
    if (out[row]?.[column] !== undefined) out[row][column] += value * weight;
  }))));
  return out;
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

// Every window of a pooling layer: its taps, with null for what is no pixel, its value, and how many numbers a mean is
// over: the zeros of the padding count, what hangs over the padding in ceil_mode does not.
function poolWindows(kind, image, kernelSize, stride, padding, ceilMode) {
  const size = image.length;
  const kernel = square(kernelSize, () => 1);
  return square(poolOutputSize(size, kernelSize, stride, padding, 1, ceilMode), (row, column) => {
    const taps = tapsAt(image, kernel, row, column, stride, padding);
    const pixels = taps.filter((tap) => tap.value !== null);
    const counted = taps.filter((tap) => Math.max(tap.row, tap.column) < size + padding).length;
    const largest = Math.max(...pixels.map((tap) => tap.value));
    const winner = kind === "max" ? pixels.find((tap) => tap.value === largest) : null; // the first of equals
    return { row, column, taps, pixels, counted, winner, value: winner ? largest : sumTaps(taps) / counted };
  });
}

// What a window passes on of its gradient to the pixel at (row, column).
function poolShare({ winner, pixels, counted }, gradient, row, column) {
  const here = (tap) => tap.row === row && tap.column === column;
  if (winner) return here(winner) ? gradient : 0;
  return pixels.some(here) ? gradient / counted : 0;
}

// One position of a convolution, all channels: neighbourhoods, a slice for every pair, what each input contributes to
// each output, and the sums. `reads[k]` are the inputs of output k; small numbers in no order, the same for any setting.
function channelMix(inChannels, outChannels, kernelSize, groups) {
  const weightCount = convParameterCount(inChannels, outChannels, kernelSize, groups, false);
  const channels = (count, value) => Array.from({ length: count }, (_, i) => value(i));
  const width = inChannels / groups;
  const reads = channels(outChannels, (k) => channels(width, (i) => Math.floor(k / (outChannels / groups)) * width + i));
  const pixels = channels(inChannels, (c) => square(3, (row, column) => {
    const i = (c * 3 + row) * 3 + column;
    return (11 * i * i + 7 * i) % 59 % 4;
  }));
  const kernels = channels(outChannels, (k) => channels(inChannels, (c) => square(kernelSize, (row, column) => {
    const i = ((k * 6 + c) * 3 + row) * 3 + column;
    return (14 * i * i + 15 * i) % 109 % 5 - 2;
  })));
  const start = Math.floor((3 - kernelSize) / 2);
  const taps = (k, c) => tapsAt(pixels[c], kernels[k][c], start, start);
  const parts = channels(outChannels, (k) => channels(inChannels, (c) => (reads[k].includes(c) ? sumTaps(taps(k, c)) : 0)));
  const outputs = parts.map((row) => row.reduce((a, b) => a + b));
  return { weightCount, reads, pixels, kernels, start, taps, parts, outputs };
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

// Boxes [x, y, width, height] in rows, areas as the values; rows break where boxes come closest to squares.
function treemap(values, width, height) {
  const total = values.reduce((a, b) => a + b, 0);
  const best = [{ cost: 0 }]; // for the first 0, 1, 2, … values: the least cost, and where the last row starts
  for (let end = 1; end <= values.length; end++) {
    let share = 0;
    best.push({ cost: Infinity });
    for (let start = end - 1; start >= 0; start--) {
      share += values[start];
      let { cost } = best[start];
      for (const value of values.slice(start, end)) {
        const aspect = value / share * (total / share) * (width / height);
        cost += value * Math.max(aspect, 1 / aspect);
      }
      if (cost <= best[end].cost) best[end] = { cost, start };
    }
  }
  const rows = [];
  for (let end = values.length; end; end = best[end].start) rows.unshift(values.slice(best[end].start, end));
  let top = 0;
  return rows.flatMap((row) => {
    const share = row.reduce((a, b) => a + b);
    let left = 0;
    const boxes = row.map((value) => {
      const box = [left, top, width * value / share, height * share / total];
      left += box[2];
      return box;
    });
    top += height * share / total;
    return boxes;
  });
}
