// Layers on small square grids: convolution, its transpose, its matrix, pooling and its gradient, and a mix of channels.
// The Python figures compute the same with utils.functional.

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

// M with one row per output and one column per input pixel, in reading order: M · image = convolve(image).
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

// A convolution with all its channels: planes, a slice for every pair, the maps, and at one position what each input adds
// to each output. `reads[k]` are the inputs of output k; small numbers in no order, the same for any count of channels.
function channelMix(inChannels, outChannels, kernelSize, groups, size, place) {
  const weightCount = convParameterCount(inChannels, outChannels, kernelSize, groups, false);
  const channels = (count, value) => Array.from({ length: count }, (_, i) => value(i));
  const width = inChannels / groups;
  const reads = channels(outChannels, (k) => channels(width, (i) => Math.floor(k / (outChannels / groups)) * width + i));
  const pixels = channels(inChannels, (c) => square(size, (row, column) => {
    const i = (c * size + row) * size + column;
    return (11 * i * i + 7 * i) % 59 % 4;
  }));
  const kernels = channels(outChannels, (k) => channels(inChannels, (c) => square(kernelSize, (row, column) => {
    const i = ((k * 6 + c) * 3 + row) * 3 + column;
    return (14 * i * i + 15 * i) % 109 % 5 - 2;
  })));
  const side = convOutputSize(size, kernelSize);
  const [row, column] = place(side - 1);
  const taps = (k, c) => tapsAt(pixels[c], kernels[k][c], row, column);
  const parts = channels(outChannels, (k) => channels(inChannels, (c) => (reads[k].includes(c) ? sumTaps(taps(k, c)) : 0)));
  const outputs = reads.map((read, k) => {
    const maps = read.map((c) => convolve(pixels[c], kernels[k][c]));
    return square(side, (r, s) => maps.reduce((sum, map) => sum + map[r][s], 0));
  });
  return { weightCount, reads, pixels, kernels, side, row, column, taps, parts, outputs };
}
