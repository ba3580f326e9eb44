// Pictures and spectra: what a kernel does to every wave; what leaving out pixels and putting in zeros does.

const SIDE = 64; // of the picture; its waves have up to 32 cycles
const HALF = SIDE / 2;
const PICTURES = ["photo", "zone plate", "one wave"];
const OPERATIONS = ["convolution", "every second pixel", "largest of 2 × 2", "zeros between"];
const SPECTRAL_KERNELS = ["none", "mean of 2 × 2", "mean of 3 × 3", "mean of 4 × 4", "1 2 1", "vertical edge", "outline"];
const COSINES = Array.from({ length: SIDE }, (_, i) => Math.cos((2 * Math.PI * i) / SIDE));
const modulo = (value, by) => ((value % by) + by) % by;

function spectralKernel(name) {
  if (name.startsWith("mean")) return makeKernel("blur", +name.at(-1));
  if (name === "1 2 1") return [1, 2, 1].map((a) => [1, 2, 1].map((b) => a * b));
  return name === "none" ? [[1]] : makeKernel(name, 3);
}

// A cosine as gray values; the phase is counted in 128ths of a cycle.
function shade(phase) {
  return Math.floor(128.5 + 126 * Math.cos((Math.PI * modulo(phase, 2 * SIDE)) / SIDE));
}

// The kernel's sum at every place of an image that goes on at the opposite side; even kernels reach up and left.
function aroundEdges(kernel, image) {
  const [size, before] = [image.length, Math.floor(kernel.length / 2)];
  return convolve(square(size + kernel.length - 1, (r, c) => image[modulo(r - before, size)][modulo(c - before, size)]), kernel);
}

// The sum over one axis after the other; what comes back are amplitudes, the mean in the middle.
function amplitudes(grid) {
  const size = grid.length;
  const cosine = (i) => COSINES[modulo(i * (SIDE / size), SIDE)];
  const sine = (i) => cosine(i - size / 4);
  const half = grid.map((line) => line.map((_, u) => line.reduce(([re, im], value, x) => [re + value * cosine(u * x), im - value * sine(u * x)], [0, 0])));
  return square(size, (row, column) => {
    const [v, u] = [row, column].map((index) => modulo(index + size / 2, size));
    let [re, im] = [0, 0];
    for (let y = 0; y < size; y++) {
      const [a, b] = half[y][u];
      const [c, s] = [cosine(v * y), sine(v * y)];
      re += a * c + b * s;
      im += b * c - a * s;
    }
    return Math.hypot(re, im);
  });
}

function spectrumLevels(grid, scale = 1) {
  const count = grid.length ** 2;
  return grayLevels(amplitudes(grid).map((line) => line.map((value) => Math.log2(1 + (16 * value) / count / scale))), 11);
}

// Moving the mark asks for the same spectra again and again.
const lastSpectra = { key: null, value: null };

function readSpectra({ text, picture, operation, kernel, wave }) {
  const key = JSON.stringify([text, picture, operation, kernel, picture === "one wave" && wave]);
  if (lastSpectra.key === key) return lastSpectra.value;
  const weights = spectralKernel(kernel);
  const total = weights.flat().reduce((sum, weight) => sum + weight, 0);
  const photo = picture === "photo" && readPixels(text, [SIDE, SIDE]);
  const values = {
    photo: (y, x) => photo[y][x],
    "one wave": (y, x) => shade(2 * (wave[0] * x + wave[1] * y)),
    "zone plate": (y, x) => shade((x - HALF) ** 2 + (y - HALF) ** 2),
  }[picture];
  const zeros = operation === "zeros between";
  const source = square(SIDE, (y, x) => (zeros && (x % 2 || y % 2) ? 0 : values(y, x)));
  const sums = aroundEdges(weights, source);
  const result = {
    "every second pixel": () => square(HALF, (r, c) => sums[2 * r][2 * c]),
    "largest of 2 × 2": () => poolWindows("max", sums, 2, 2, 0, false).map((line) => line.map(({ value }) => value)),
  }[operation]?.() ?? sums;
  const raised = (by) => result.map((line) => line.map((value) => value * by));
  const levels = total ? grayLevels(zeros && kernel !== "none" ? raised(4) : result, 255 * total) : signedLevels(result);
  const gains = amplitudes(square(SIDE, (r, c) => weights[r]?.[c] ?? 0)).map((line) => line.map((value) => value / Math.max(1, total)));
  const most = Math.max(...gains.flat());
  const spectra = [spectrumLevels(source), grayLevels(gains.map((line) => line.map((gain) => gain / most)), 1),
    spectrumLevels(result, Math.max(1, total) / (zeros ? 4 : 1))];
  const value = { weights, total, source, result, levels, gains, most, spectra, thinned: result.length < SIDE };
  Object.assign(lastSpectra, { key, value });
  return value;
}

function readState(model) {
  const one = (name, options, fallback = options[0]) => (options.includes(model.get(name)) ? model.get(name) : fallback);
  const given = model.get("wave");
  const wave = [0, 1].map((axis) => whole(Array.isArray(given) ? given[axis] : 0, [-HALF, HALF - 1], 0));
  const settings = {
    wave, picture: one("picture", PICTURES), operation: one("operation", OPERATIONS), kernel: one("kernel", SPECTRAL_KERNELS, "mean of 3 × 3"),
  };
  return { ...settings, ...readSpectra({ ...settings, text: model.get("pixels") }) };
}

function aliasOf(wave) {
  return wave.map((cycles) => modulo(cycles + HALF / 2, HALF) - HALF / 2);
}

// Where zeros between pixels bring a wave back.
function copiesOf([across, down]) {
  const wrapped = (cycles) => modulo(cycles + HALF, SIDE) - HALF;
  return [0, HALF].flatMap((low) => [0, HALF].map((right) => [wrapped(across + right), wrapped(down + low)]));
}

function describe({ wave: [across, down], operation, gains }) {
  const cycles = ([right, low]) => `${count(right, "cycle")} across and ${number(low)} down`;
  const at = ([u, v]) => String(Math.floor(100 * gains[v + HALF][u + HALF] + 0.5 + 1e-9) / 100);
  const [name, gain, alias] = [`The wave with ${cycles([across, down])}`, at([across, down]), aliasOf([across, down])];
  if (operation === "zeros between") {
    const copies = copiesOf([across, down]).map(at);
    return `${name} comes out of the zeros four times; the kernel multiplies the four by ${copies.slice(0, 3).join(", ")} and ${copies[3]}.`;
  }
  if (operation === "largest of 2 × 2") return `${name} is multiplied by ${gain}; then comes a maximum, which multiplies no wave: it mixes them.`;
  if (operation === "convolution") return `${name} is multiplied by ${gain}.`;
  if (alias[0] === across && alias[1] === down) return `${name} is multiplied by ${gain}, and every second pixel still shows it.`;
  if (gain === "0") return `${name} is multiplied by 0: every second pixel has nothing to mistake.`;
  return `${name} is multiplied by ${gain}; every second pixel shows it as one with ${cycles(alias)}.`;
}

export default {
  render({ model, el }) {
    let state = readState(model);
    let shown = null;
    const picture = () => h("image", { width: SIDE, height: SIDE, style: "image-rendering: pixelated" });
    const images = Array.from({ length: 6 }, picture);
    const marks = images.map(() => h("g", { class: "cnn-marks" }));
    const svgs = images.map((image, i) => h("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, width: 208 * enlarged(), height: 208 * enlarged(), "aria-hidden": "true" }, image, marks[i]));
    const heads = images.map(() => h("p", { class: "cnn-heading" }));
    const result = h("p", { class: "cnn-result cnn-steady", "aria-live": "polite" });
    const kernel = h("div");
    const controls = shownControls(model, [
      ["picture", choice("Picture", PICTURES, (name) => assign(model, { picture: name }))],
      ["kernel", choice("Kernel", SPECTRAL_KERNELS, (kernel) => assign(model, { kernel }))],
      ["operation", choice("Operation", OPERATIONS, (operation) => assign(model, { operation }))],
    ]);
    const twin = h("div", { class: "cnn-scroll", tabindex: 0, role: "group", "aria-label": "Tables" });

    function choose(across, down) {
      assign(model, { wave: [across, down].map((cycles) => whole(cycles, [-HALF, HALF - 1])) });
    }

    // A wave lies in the spectra where its cycles say; x and y go from 0 to 1.
    const cycles = (share) => Math.round(share * SIDE - 0.5) - HALF;
    const holds = (x, y) => Math.max(Math.abs(cycles(x) - state.wave[0]), Math.abs(cycles(y) - state.wave[1])) < 12;

    function pad(i) {
      const label = ["", "", "", "Waves of the picture", "What multiplies each wave", "Waves of the result"][i];
      const box = h("div", {
        class: "cnn-pad cnn-drag", tabindex: 0, role: "application", "aria-label": `${label}: the arrow keys choose a wave`,
        keydown: (event) => { const by = arrow(event); if (by) choose(state.wave[0] + by[1], state.wave[1] + by[0]); },
      }, svgs[i]);
      dragging(box, (x, y) => choose(cycles(x), cycles(y)), holds);
      return box;
    }

    // A small square around the wave, or around each place where it turns up.
    function drawMarks() {
      const places = state.operation === "zeros between" ? copiesOf(state.wave) : [state.operation === "every second pixel" ? aliasOf(state.wave) : state.wave];
      const around = ([u, v]) => [h("rect", { class: "cnn-wave", x: u + HALF - 1.5, y: v + HALF - 1.5, width: 4, height: 4 })];
      // What every second pixel can tell apart.
      const limit = state.thinned ? [h("rect", { class: "cnn-limit", x: HALF / 2, y: HALF / 2, width: HALF, height: HALF })] : [];
      marks[3].replaceChildren(...limit, ...around(state.wave));
      marks[4].replaceChildren(...limit, ...(places.length > 1 ? places : [state.wave]).flatMap(around));
      marks[5].replaceChildren(...limit, ...(state.operation === "largest of 2 × 2" ? [] : places.flatMap(around)));
    }

    function drawPictures() {
      const { weights, total, source, result: made, levels, most, spectra, thinned, operation } = state;
      const side = made.length;
      const put = (image, values, signed = false) => image.setAttribute("href", paint(values, signed));
      put(images[0], source);
      put(images[2], levels, total === 0);
      spectra.forEach((values, i) => put(images[3 + i], values));
      const inset = thinned ? HALF / 2 : 0;
      for (const [name, value] of Object.entries({ x: inset, y: inset, width: side, height: side })) images[5].setAttribute(name, value);
      const none = weights.length === 1;
      const texts = [
        operation === "zeros between" ? "Picture, zeros between" : `Picture ${SIDE} × ${SIDE}`, none ? "No kernel" : total ? `Kernel, divided by ${total}` : "Kernel",
        `Result ${side} × ${side}`, "Its waves", `Multiplied by 0 … ${Number(most.toPrecision(3))}`, "Its waves",
      ];
      texts.forEach((text, i) => { heads[i].textContent = text; });
      const cells = weights.flatMap((row, r) => row.map((weight, c) => drawCell({ x: c * READ_CELL, y: r * READ_CELL, size: READ_CELL, role: "kernel", text: number(weight) })));
      const across = weights.length * READ_CELL;
      kernel.replaceChildren(drawing(across, across, ...cells, h("rect", { class: "cnn-frame", width: across, height: across })));
      twin.replaceChildren(gridTable("Kernel", weights));
    }

    function draw() {
      state = readState(model);
      for (const [name, control] of controls) control.set(state[name]);
      if (shown !== state.source) drawPictures();
      shown = state.source;
      drawMarks();
      result.textContent = describe(state);
    }

    const roles = ["input", "kernel", "output"];
    const panels = images.map((_, i) => h("div", { class: `cnn-panel cnn-as-${roles[i % 3]}` }, heads[i], i === 1 ? kernel : i > 2 ? pad(i) : svgs[i]));
    el.append(h("div", { class: "cnn-figure", role: "group", "aria-label": "Pictures and their waves" },
      h("div", { class: "cnn-actions cnn-line-up" }, ...controls.map(([, control]) => control)), result, h("div", { class: "cnn-six" }, ...panels),
      h("div", { class: "cnn-actions" }, button("Save SVG", () => saveSvg("frequencies", svgs.filter((_, i) => i !== 1)))),
      h("details", {}, h("summary", {}, "As tables"), twin)));
    model.on("change", draw);
    draw();
    return () => model.off("change", draw);
  },
};
