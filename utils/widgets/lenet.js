// LeNet-5 with its weights as whole numbers, every layer's numbers, and the ways to draw and to move a digit.
// lenet.py computes the same.

const EDGE = 28; // pixels a side
const INK = 15; // a drawing's pixels are 0 … 15, two to a byte
const TENSORS = [150, 6, 2400, 16, 48000, 120, 10080, 84, 840, 10]; // numbers in each, in the order of PyTorch's state_dict
const LAYERS = { // (maps, rows, columns); what a unit sees of the image, and where the first one begins
  C1: { shape: [6, 28, 28], field: 5, start: -2, step: 1, across: 6 },
  S2: { shape: [6, 14, 14], field: 6, start: -2, step: 2, across: 6 },
  C3: { shape: [16, 10, 10], field: 14, start: -2, step: 2, across: 8 },
  S4: { shape: [16, 5, 5], field: 16, start: -2, step: 4, across: 8 },
  C5: { shape: [1, 8, 15], field: EDGE, start: 0, step: 1, across: 1 },
  F6: { shape: [1, 7, 12], field: EDGE, start: 0, step: 1, across: 1 },
  scores: { shape: [1, 1, 10], field: EDGE, start: 0, step: 1, across: 1 },
};
const listOf = (n, value) => Array.from({ length: n }, (_, i) => value(i));

// ---- the network

function bytesOf(text, count) {
  let bytes = null;
  try {
    bytes = bytesFrom(text);
  } catch { /* not base64 */ }
  return bytes?.length === count ? bytes : null;
}

const lastNetwork = { text: null, tensors: null };

// Ten scales, then all numbers; an address may say anything, and then all weights are 0.
function readNetwork(text) {
  if (lastNetwork.tensors && lastNetwork.text === text) return lastNetwork.tensors;
  const count = 40 + TENSORS.reduce((sum, n) => sum + n);
  const view = new DataView((bytesOf(text, count) ?? new Uint8Array(count)).buffer);
  let at = 40;
  const tensors = TENSORS.map((n, i) => {
    const given = view.getFloat32(4 * i, true);
    const scale = Math.abs(given) < 1000 ? given : 0;
    return listOf(n, () => view.getInt8(at++) * scale);
  });
  Object.assign(lastNetwork, { text, tensors });
  return tensors;
}

// Maps of side × side, 5 × 5 kernels; maps and weights are lists, row by row. Plain loops, for a stroke asks for it.
function convolveMaps(maps, side, weights, bias, padding) {
  const [wide, count] = [side + 2 * padding, maps.length / side ** 2];
  const [out, padded] = [wide - 4, new Float64Array(count * wide ** 2)];
  maps.forEach((value, i) => { padded[(Math.floor(i / side ** 2) * wide + Math.floor(i / side) % side + padding) * wide + i % side + padding] = value; });
  const [laid, sums] = [Float64Array.from(weights), []];
  for (let m = 0; m < bias.length; m++) {
    for (let place = 0; place < out * wide - 4; place += place % wide === out - 1 ? 5 : 1) {
      let sum = 0;
      for (let c = 0, w = m * count * 25; c < count; c++) {
        for (let r = 0, at = c * wide * wide + place; r < 5; r++, at += wide) {
          for (let s = 0; s < 5; s++) sum += padded[at + s] * laid[w++];
        }
      }
      sums.push(sum + bias[m]);
    }
  }
  return sums;
}

function halve(maps, side) {
  const half = side / 2;
  return listOf(maps.length / 4, (i) => {
    const at = (Math.floor(i / half) * 2) * side + (i % half) * 2;
    return (maps[at] + maps[at + 1] + maps[at + side] + maps[at + side + 1]) / 4;
  });
}

function connect(inputs, weights, bias) {
  return bias.map((value, i) => {
    let sum = 0;
    for (let j = 0; j < inputs.length; j++) sum += inputs[j] * weights[i * inputs.length + j];
    return sum + value;
  });
}

function readLayers([w1, b1, w2, b2, w3, b3, w4, b4, w5, b5], image) {
  const squash = (sums) => sums.map(Math.tanh);
  const C1 = squash(convolveMaps(image, 28, w1, b1, 2));
  const S2 = halve(C1, 28);
  const C3 = squash(convolveMaps(S2, 14, w2, b2, 0));
  const S4 = halve(C3, 10);
  const C5 = squash(connect(S4, w3, b3));
  const F6 = squash(connect(C5, w4, b4));
  const scores = connect(F6, w5, b5);
  const powers = scores.map((score) => Math.exp(score - Math.max(...scores)));
  const total = powers.reduce((sum, power) => sum + power);
  return { values: { C1, S2, C3, S4, C5, F6, scores }, shares: powers.map((power) => power / total) };
}

// ---- the digit: lists of 28 · 28 pixels, row by row

function rearrange(pixels, from) {
  return pixels.map((_, i) => {
    const [row, column] = from(Math.floor(i / EDGE), i % EDGE);
    return row >= 0 && row < EDGE && column >= 0 && column < EDGE ? pixels[row * EDGE + column] : 0;
  });
}

function shift(pixels, down, right) {
  return rearrange(pixels, (row, column) => [row - down, column - right]);
}

// The middle of the mass falls in the pixel in which MNIST puts it.
function centred(pixels) {
  const total = pixels.reduce((sum, value) => sum + value);
  if (!total) return pixels;
  const middle = (index) => pixels.reduce((sum, value, i) => sum + value * index(i), 0) / total;
  const by = [middle((i) => Math.floor(i / EDGE)), middle((i) => i % EDGE)].map((place) => Math.floor(14.5 - place));
  return shift(pixels, ...by);
}

function turned(pixels, degrees) {
  if (!degrees) return pixels;
  const [c, s, middle] = [Math.cos(degrees * Math.PI / 180), Math.sin(degrees * Math.PI / 180), (EDGE - 1) / 2];
  const at = (row, column) => (row >= 0 && row < EDGE && column >= 0 && column < EDGE ? pixels[row * EDGE + column] : 0);
  return pixels.map((_, i) => {
    const [y, x] = [Math.floor(i / EDGE) - middle, i % EDGE - middle];
    const [down, right] = [c * y - s * x + middle, c * x + s * y + middle];
    const [top, left] = [Math.floor(down), Math.floor(right)];
    const [u, v] = [down - top, right - left];
    return (1 - u) * ((1 - v) * at(top, left) + v * at(top, left + 1)) + u * ((1 - v) * at(top + 1, left) + v * at(top + 1, left + 1));
  });
}

// Each pixel becomes the largest of itself and its four neighbours, once for two halves; the smallest if negative.
function thickened(pixels, halves) {
  const choose = halves > 0 ? Math.max : Math.min;
  let now = pixels;
  for (let left = Math.abs(halves); left > 0; left -= 2) {
    const around = [[1, 0], [-1, 0], [0, 1], [0, -1]].map((by) => shift(now, ...by));
    const chosen = now.map((value, i) => choose(value, ...around.map((each) => each[i])));
    now = left > 1 ? chosen : now.map((value, i) => (value + chosen[i]) / 2);
  }
  return now;
}

// The pen goes from one place to another, (row, column) in pixels; what it leaves is soft at the edge.
function penned(pixels, [r0, c0], [r1, c1], erase) {
  const [down, right] = [r1 - r0, c1 - c0];
  return pixels.map((value, i) => {
    const [y, x] = [Math.floor(i / EDGE) + 0.5 - r0, i % EDGE + 0.5 - c0];
    const along = Math.min(1, Math.max(0, (y * down + x * right) / (down ** 2 + right ** 2 || 1)));
    const ink = Math.min(1, Math.max(0, (erase ? 2.8 : 1.7) - Math.hypot(y - along * down, x - along * right)));
    return erase ? Math.min(value, Math.round(INK * (1 - ink)) * 17) : Math.max(value, Math.round(INK * ink) * 17);
  });
}

function packDrawing(pixels) {
  const inks = pixels.map((value) => Math.round(value / 17));
  return btoa(String.fromCharCode(...listOf(inks.length / 2, (i) => inks[2 * i] * 16 + inks[2 * i + 1])));
}
