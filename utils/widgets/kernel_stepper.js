// A kernel steps over a small image: every product, the sum, and the pixels that no position reads.

function readState(model) {
  const state = bounded(model, "kernel_stepper");
  state.flip = model.get("flip") === true;
  state.image = IMAGES.includes(model.get("image")) ? model.get("image") : IMAGES[0];
  const kernel = model.get("kernel");
  const own = Array.isArray(kernel) && kernel.length === state.kernel_size
    && kernel.every((row) => Array.isArray(row) && row.length === kernel.length && row.every(Number.isInteger));
  state.kernel = own || KERNELS.includes(kernel) ? kernel : KERNELS[0];
  state.weights = own ? kernel : makeKernel(state.kernel, state.kernel_size);
  const { size, kernel_size, stride, padding, dilation } = state;
  state.pixels = makeImage(state.image, size);
  state.laid = state.flip ? state.weights.toReversed().map((row) => row.toReversed()) : state.weights;
  try {
    state.outputs = convolve(state.pixels, state.laid, stride, padding, dilation);
    state.unread = unreadLines(size, kernel_size, stride, padding, dilation);
  } catch (error) {
    return { ...state, outputs: [], unread: [], row: 0, column: 0, taps: [], error: error.message };
  }
  [state.row, state.column] = rowAndColumn(model, state.outputs.length - 1);
  state.taps = tapsAt(state.pixels, state.laid, state.row, state.column, stride, padding, dilation);
  return state;
}

function describe(state) {
  if (state.error) return sentence(state.error);
  const size = state.outputs.length;
  const lost = state.unread.length;
  const unread = lost ? `${count(lost, "row")} and ${count(lost, "column")} of the input are never read` : "every pixel is read";
  return `Output row ${state.row + 1}, column ${state.column + 1} of ${size} × ${size} is `
    + `${number(state.outputs[state.row][state.column])}; ${unread}.`;
}

function formula({ size, kernel_size, stride, padding, dilation, outputs }) {
  const room = `${size} + 2·${padding} − ${dilation}·(${kernel_size} − 1) − 1`;
  if (!outputs.length) return `${room} is below zero: the kernel does not fit even once.`;
  const verdict = outputs.length === size ? "the size is kept" : outputs.length > size ? "the map grows" : "the map shrinks";
  return `⌊(${room}) / ${stride}⌋ + 1 = ${outputs.length}: ${verdict}, ${size} → ${outputs.length}.`;
}

function drawInput({ size, kernel_size, padding, dilation, stride, pixels, taps, unread, row, column }) {
  const cell = readCellSize();
  const full = size + 2 * padding;
  const most = Math.max(1, ...pixels.flat());
  const lies = new Map(taps.map((tap) => [`${tap.row},${tap.column}`, tap.weight]));
  const at = (index) => (index + padding) * cell;
  const cells = square(full, (r, c) => {
    const [y, x] = [r - padding, c - padding];
    const value = pixels[y]?.[x];
    const weight = lies.get(`${y},${x}`);
    return drawCell({
      x: c * cell, y: r * cell, size: cell, text: number(value ?? 0), role: value === undefined ? "padding" : "input",
      tint: 0.3 * (value ?? 0) / most, corner: weight === undefined ? null : number(weight),
      unread: value !== undefined && (unread.includes(y) || unread.includes(x)),
    });
  });
  const frame = (r, c, span, extra = "") => h("rect", { class: `cnn-frame ${extra}`, x: at(c), y: at(r), width: span * cell, height: span * cell });
  const reach = dilation * (kernel_size - 1) + 1;
  const corner = [row * stride - padding, column * stride - padding];
  const frames = !taps.length ? [] : dilation === 1 ? [frame(...corner, reach)]
    : [frame(...corner, reach, "cnn-reach"), ...taps.map((tap) => frame(tap.row, tap.column, 1))];
  return drawing(full * cell, full * cell, ...cells.flat(), ...frames);
}

function drawOutput({ outputs, row, column }, pick) {
  const cell = cellSize(36);
  const most = Math.max(1, ...outputs.flat().map(Math.abs));
  const cells = outputs.map((values, r) => values.map((value, c) => {
    const strong = r === row && c === column;
    const node = drawCell({ x: c * cell, y: r * cell, size: cell, text: number(value), role: "output", tint: 0.3 * Math.abs(value) / most, strong });
    node.addEventListener("click", () => pick(r, c));
    return node;
  }));
  return drawing(outputs.length * cell, outputs.length * cell, ...cells.flat());
}

function drawKernel({ weights, kernel_size }) {
  const cell = readCellSize();
  const cells = weights.map((row, r) => row.map((weight, c) =>
    drawCell({ x: c * cell, y: r * cell, size: cell, text: number(weight), role: "kernel" })));
  const frame = h("rect", { class: "cnn-frame", width: kernel_size * cell, height: kernel_size * cell });
  return drawing(kernel_size * cell, kernel_size * cell, ...cells.flat(), frame);
}

export default {
  render({ model, el }) {
    let state = readState(model);
    let timer = null;
    const part = (tag, name, attributes = {}) => h(tag, { class: name, ...attributes });
    const heads = { input: part("p", "cnn-heading"), kernel: part("p", "cnn-heading"), output: part("p", "cnn-heading") };
    const input = part("div", "cnn-scroll cnn-drag", {
      tabindex: 0, role: "application", "aria-label": "Input grid: drag the kernel, or move it by the arrow keys", keydown: onKey,
    });
    dragging(input, (x, y) => grab(x, y), holds);
    const kernel = part("div", "cnn-kernel");
    const output = part("div", "cnn-scroll cnn-pad", {
      tabindex: 0, role: "application", "aria-label": "Output grid: the arrow keys move the kernel", keydown: onKey,
    });
    const terms = part("p", "cnn-products");
    const result = part("p", "cnn-result", { "aria-live": "polite" });
    const size = part("p", "cnn-formula");
    const twin = part("div", "cnn-scroll", { tabindex: 0, role: "group", "aria-label": "Tables" });
    const all = [
      ["size", "Input size W", "input"], ["kernel_size", "Kernel size F", "kernel"], ["stride", "Stride S", "output"],
      ["padding", "Padding p", "padding"], ["dilation", "Dilation d", "kernel"],
    ].map(([name, label, role]) => [name, slider(model, "kernel_stepper", name, label, role)]);
    all.push(
      ["image", choice("Image", IMAGES, (image) => assign(model, { image }))],
      ["kernel", choice("Kernel", [...KERNELS, "your own"], (name) => assign(model, { kernel: name === "your own" ? state.weights : name }))],
      ["flip", checkbox("Flip the kernel (true convolution)", (flip) => assign(model, { flip }))],
    );
    const controls = shownControls(model, all);
    const sized = controls.some(([name]) => name === "size");
    const play = button("Play", () => (timer ? pause() : start()));
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const actions = h("div", { class: "cnn-actions" },
      button("Step", () => step()), still ? null : play, button("First position", () => move(0, 0)),
      button("Save SVG", save));

    function move(row, column) {
      assign(model, { position: [row, column] });
    }

    function step() {
      const last = state.outputs.length - 1;
      if (state.column < last) move(state.row, state.column + 1);
      else move(state.row < last ? state.row + 1 : 0, 0);
    }

    function start() {
      timer = setInterval(step, 700);
      play.textContent = "Pause";
      result.setAttribute("aria-live", "off"); // a sentence every moment, without end, is no news
    }

    function pause() {
      clearInterval(timer);
      timer = null;
      play.textContent = "Play";
      result.setAttribute("aria-live", "polite");
    }

    // The kernel's middle goes as near to the pointer as the stride allows. Places are counted in cells, padding included.
    function spread() {
      return state.dilation * (state.kernel_size - 1) + 1;
    }

    function grab(x, y) {
      const full = state.size + 2 * state.padding;
      const near = (share) => whole(Math.round((share * full - spread() / 2) / state.stride), [0, state.outputs.length - 1]);
      if (!state.error) move(near(y), near(x));
    }

    function holds(x, y) {
      const full = state.size + 2 * state.padding;
      return !state.error && [[x, state.column], [y, state.row]].every(([share, index]) => {
        const cells = share * full - index * state.stride;
        return cells >= 0 && cells <= spread();
      });
    }

    function onKey(event) {
      const by = arrow(event);
      if (!by) return;
      const inside = (index) => whole(index, [0, state.outputs.length - 1]);
      move(inside(state.row + by[0]), inside(state.column + by[1]));
    }

    function save() {
      const picture = drawKernel(state);
      input.after(picture); // only while it is in the page has it the page's colours
      saveSvg("kernel-stepper", [input.firstChild, picture, output.firstChild]);
      picture.remove();
    }

    function weightField(row, column) {
      return h("input", {
        type: "number", min: -9, max: 9, step: 1, "aria-label": `Weight row ${row + 1}, column ${column + 1}`,
        change: (event) => {
          const value = whole(Math.round(+event.target.value), [-9, 9], 0);
          assign(model, { kernel: state.weights.map((line, i) => line.map((old, j) => (i === row && j === column ? value : old))) });
        },
      });
    }

    // The fields stay as long as the size does, and with them the focus.
    function showKernel({ kernel_size, weights }) {
      if (kernel.childElementCount !== kernel_size ** 2) {
        kernel.style.setProperty("--cnn-columns", kernel_size);
        kernel.replaceChildren(...square(kernel_size, weightField).flat());
      }
      weights.flat().forEach((weight, i) => { kernel.children[i].value = weight; });
    }

    function draw() {
      state = readState(model);
      const { size: n, kernel_size: k, padding, outputs } = state;
      const full = n + 2 * padding;
      heads.input.textContent = `Input ${n} × ${n}${padding ? `, padded to ${full} × ${full}` : ""}`;
      heads.kernel.textContent = `Kernel ${k} × ${k}${state.flip ? ", laid down flipped" : ""}`;
      heads.output.textContent = outputs.length ? `Output ${outputs.length} × ${outputs.length}` : "No output";
      input.replaceChildren(drawInput(state));
      output.replaceChildren(drawOutput(state, move));
      showKernel(state);
      const lines = state.laid.map((_, r) => products(state.taps.slice(r * k, r * k + k)));
      terms.textContent = outputs.length ? `${lines.join(" +\n")} = ${number(outputs[state.row][state.column])}` : "";
      result.textContent = describe(state);
      size.textContent = formula(state);
      for (const [name, control] of controls) control.set(Array.isArray(state[name]) ? "your own" : state[name]);
      twin.replaceChildren(gridTable("Input", state.pixels), gridTable("Kernel as it lies on the input", state.laid),
        ...(outputs.length ? [gridTable("Output", outputs)] : []));
    }

    const panel = (role, ...body) => h("div", { class: `cnn-panel cnn-as-${role}` }, heads[role], ...body);
    el.append(h("div", { class: "cnn-figure", role: "group", "aria-label": "Kernel stepper" },
      // The controls come first: what they change in size must not push them away.
      h("div", { class: "cnn-controls" }, ...controls.map(([, control]) => control)), actions, result, sized ? size : null,
      h("div", { class: "cnn-panels" }, panel("input", input),
        h("div", { class: "cnn-stack" }, panel("kernel", h("div", { class: "cnn-sum" }, kernel, terms)), panel("output", output))),
      h("details", {}, h("summary", {}, "As tables"), twin)));
    model.on("change", draw);
    draw();
    return () => {
      pause();
      model.off("change", draw);
    };
  },
};
