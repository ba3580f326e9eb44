// EfficientNet-Lite0 in the page: its weights unpacked, a picture's 1,000 scores, where a score comes from; and the
// square that it reads out of a photograph. photo/kernels.ts has the two loops in which it spends its time.

const VIEW = 224; // pixels a side of what the network reads
const GRAY = 127; // what it takes for nothing
const CLASSES = 1000;
const CHANNELS = 1280; // of the last maps
const SAMPLES = ["a cat", "a cup of coffee", "a photographer", "a rocket", "an astronaut"];
// Repeats, kernel, stride, expansion, inputs, outputs.
const STAGES = [[1, 3, 1, 1, 32, 16], [2, 3, 2, 6, 16, 24], [2, 5, 2, 6, 24, 40], [3, 3, 2, 6, 40, 80], [3, 5, 1, 6, 80, 112], [4, 5, 2, 6, 112, 192], [1, 3, 1, 6, 192, 320]];

// Every layer: inputs I, outputs O, a side n of the map that it reads. A stem of 3 × 3 × 3 is pointwise on patches.
function planLayers() {
  let n = VIEW / 2;
  const layers = [{ kind: "point", I: 27, O: 32, n, relu: true }];
  for (const [repeats, k, stride, expansion, first, O] of STAGES) for (let r = 0; r < repeats; r++) {
    const [I, s] = r ? [O, 1] : [first, stride];
    const wide = I * expansion;
    if (expansion > 1) layers.push({ kind: "point", I, O: wide, n, relu: true, start: true });
    const m = Math.ceil(n / s);
    layers.push({ kind: "depth", I: 1, O: wide, k, s, n, pad: Math.max((m - 1) * s + k - n, 0) >> 1, start: expansion === 1 });
    n = m;
    layers.push({ kind: "point", I: wide, O, n, skip: r > 0 });
  }
  layers.push({ kind: "point", I: 320, O: CHANNELS, n, relu: true }, { kind: "point", I: CHANNELS, O: CLASSES, n: 1 });
  return layers;
}

// The network of a file that experiments/photo.py has written, and of the compiled kernels; throws where a browser cannot.
// All numbers lie in one memory: of every layer the biases and the weights, then room for three maps.
async function loadNetwork(bytes, compiled) {
  const module = await WebAssembly.compile(compiled);
  const layers = planLayers();
  let floats = 4; // address 0 stands for "no map to add"
  const room = (count) => { const at = floats; floats += (count + 3) & ~3; return at; };
  for (const l of layers) {
    l.taps = l.kind === "depth" ? l.k * l.k : l.I;
    l.b = room(l.O);
    l.w = room(l.taps * l.O);
  }
  const most = Math.max(...layers.map((l) => ((l.n * l.n + 3) & ~3) * Math.max(l.O, l.I)));
  const spaces = [room(most), room(most), room(most)];
  const memory = new WebAssembly.Memory({ initial: Math.ceil(floats / 16384) });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const M = new Float32Array(memory.buffer);
  // Scales and biases, layer by layer; then the layers that need 16 bits, then those that do with 8.
  const wide = (l) => l.kind === "depth" || l.taps * l.O <= 6000;
  const total = (list, size) => list.reduce((sum, l) => sum + size(l), 0);
  const [outputs, wides] = [total(layers, (l) => l.O), total(layers.filter(wide), (l) => l.taps * l.O)];
  const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength); // aligned
  const [F, H, Q] = [new Float32Array(data, 0, 2 * outputs), new Int16Array(data, 8 * outputs, wides), new Int8Array(data, 8 * outputs + 2 * wides)];
  let [f, h16, q8] = [0, 0, 0];
  for (const l of layers) {
    const narrow = !wide(l);
    for (let o = 0; o < l.O; o++) {
      const [at, step] = l.kind === "depth" ? [l.w + o, l.O] : [placeOfWeight(l, 0, o), 8];
      for (let t = 0; t < l.taps; t++) M[at + t * step] = F[f + o] * (narrow ? Q[q8++] : H[h16++]);
      M[l.b + o] = F[f + l.O + o];
    }
    f += 2 * l.O;
  }
  return { layers, spaces, M, exports };
}

// For every 8 outputs the weights of input 0, of input 1, …
const placeOfWeight = (l, input, output) => l.w + (output >> 3) * 8 * l.I + 8 * input + (output & 7);

// The 1,000 scores of a picture of RGBA bytes, and the last maps, (places, channels).
function runNetwork({ layers, spaces, M, exports }, rgba) {
  let x = spaces[0];
  let [keep, at, places, features] = [x, x, 0, null];
  for (let r = 0; r < VIEW; r += 2) for (let c = 0; c < VIEW; c += 2) for (let k = 0; k < 3; k++) for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) {
    M[at++] = r + i < VIEW && c + j < VIEW ? (rgba[4 * ((r + i) * VIEW + c + j) + k] - GRAY) / 128 : 0;
  }
  for (const l of layers) {
    if (l.start) keep = x;
    const y = spaces.find((space) => space !== x && space !== keep);
    if (l.O === CLASSES) {
      features = M.slice(x, x + places * CHANNELS);
      for (let c = 0; c < CHANNELS; c++) {
        let sum = 0;
        for (let p = 0; p < places; p++) sum += features[p * CHANNELS + c];
        M[x + c] = sum / places;
      }
    }
    if (l.kind === "depth") exports.depthwise(4 * x, 4 * l.w, 4 * l.b, 4 * y, l.n, l.O, l.k, l.s, l.pad);
    else exports.pointwise(4 * x, 4 * l.w, 4 * l.b, l.skip ? 4 * keep : 0, 4 * y, l.n * l.n, l.I, l.O, l.relu ? 0 : -3e38, l.relu ? 6 : 3e38);
    x = y;
    places = (l.kind === "depth" ? Math.ceil(l.n / l.s) : l.n) ** 2;
  }
  return { scores: M.slice(x, x + CLASSES), features };
}

// The heat map: the last maps times a class's weights. The mean of all places, and the bias, make the score.
function activation({ layers, M }, features, label) {
  const last = layers.at(-1);
  return listOf(features.length / CHANNELS, (p) => {
    let sum = 0;
    for (let c = 0; c < CHANNELS; c++) sum += features[p * CHANNELS + c] * M[placeOfWeight(last, c, label)];
    return sum;
  });
}

// The five likeliest classes, [label, name, probability] each.
function likeliest(scores, names) {
  const most = Math.max(...scores);
  const total = scores.reduce((sum, score) => sum + Math.exp(score - most), 0);
  const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a]).slice(0, 5);
  return order.map((label) => [label, names[label], Math.exp(scores[label] - most) / total]);
}

// ---- what it reads

// The square in the middle of a picture of RGBA bytes, shifted, turned, enlarged, and blurred; gray where there is no
// picture. Every pixel is the mean of n × n places, and each of these lies between four of the picture's pixels.
function viewOf({ width, height, data }, { across, down, turn, zoom, blur }) {
  const step = (100 * Math.min(width, height)) / (zoom * VIEW); // the picture's pixels to one of the view
  const n = Math.min(3, Math.max(1, Math.round(step)));
  const [cos, sin] = [Math.cos((turn * Math.PI) / 180) * step, Math.sin((turn * Math.PI) / 180) * step];
  let planes = new Float32Array(3 * VIEW * VIEW);
  for (let r = 0; r < VIEW; r++) for (let c = 0; c < VIEW; c++) for (let place = 0; place < n * n; place++) {
    const a = c + ((place % n) + 0.5) / n - VIEW / 2 - across;
    const b = r + (Math.floor(place / n) + 0.5) / n - VIEW / 2 - down;
    const x = cos * a + sin * b + width / 2 - 0.5;
    const y = cos * b - sin * a + height / 2 - 0.5;
    const left = Math.floor(x);
    const top = Math.floor(y);
    for (let corner = 0; corner < 4; corner++) {
      const u = left + (corner & 1);
      const v = top + (corner >> 1);
      const share = ((corner & 1 ? x - left : 1 - x + left) * (corner >> 1 ? y - top : 1 - y + top)) / (n * n);
      const inside = u >= 0 && u < width && v >= 0 && v < height;
      const from = 4 * (v * width + u);
      const to = 3 * (r * VIEW + c);
      planes[to] += share * (inside ? data[from] : GRAY);
      planes[to + 1] += share * (inside ? data[from + 1] : GRAY);
      planes[to + 2] += share * (inside ? data[from + 2] : GRAY);
    }
  }
  // Two means along each axis weigh as a tent does.
  for (const stride of blur ? [3, 3, 3 * VIEW, 3 * VIEW] : []) planes = blurred(planes, blur, stride);
  const rgba = new Uint8ClampedArray(4 * VIEW * VIEW).fill(255);
  for (let p = 0; p < VIEW * VIEW; p++) for (let k = 0; k < 3; k++) rgba[4 * p + k] = planes[3 * p + k];
  return rgba;
}

// Each number's mean with `reach` neighbours on both sides, `stride` apart; beyond the edge the last one goes on.
function blurred(planes, reach, stride) {
  const found = new Float32Array(planes.length);
  const size = 2 * reach + 1;
  for (let start = 0; start < planes.length; start += 1) {
    if (Math.floor(start / stride) % VIEW) continue;
    const value = (place) => planes[start + Math.min(VIEW - 1, Math.max(0, place)) * stride];
    let sum = 0;
    for (let place = -reach; place < reach; place++) sum += value(place);
    for (let place = 0; place < VIEW; place++) {
      sum += value(place + reach);
      found[start + place * stride] = sum / size;
      sum -= value(place - reach);
    }
  }
  return found;
}
