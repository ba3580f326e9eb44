// A transposed convolution: every pixel lays down a copy of the kernel, or a kernel slides over pixels among zeros.

const VIEWS = ["scatter", "insert zeros", "count copies"];
const PIXELS = ["digits", "one pixel", "ones"];
const WEIGHTS = ["counting", "ones"];

function readState(model) {
  const state = bounded(model, "transposed_convolution");
  for (const [name, options] of [["view", VIEWS], ["image", PIXELS], ["kernel", WEIGHTS]]) {
    state[name] = options.includes(model.get(name)) ? model.get(name) : options[0];
  }
  const { size, kernel_size, stride, padding, output_padding } = state;
  const middle = Math.floor((size - 1) / 2);
  state.pixels = square(size, (row, column) => ({
    digits: (7 * (row * size + column) + 3) % 10, "one pixel": row === middle && column === middle ? 1 : 0, ones: 1,
  })[state.image]);
  state.weights = makeKernel(state.kernel === "ones" ? "blur" : "counting", kernel_size);
  state.scatter = state.view === "scatter";
  state.turned = state.view === "insert zeros";
  state.laid = state.turned ? state.weights.toReversed().map((row) => row.toReversed()) : state.weights;
  const spread = (pixels, weights, crop) => convTranspose(pixels, weights, stride, crop, output_padding);
  const ones = (grid) => grid.map((row) => row.map(() => 1));
  try {
    state.outputs = spread(state.pixels, state.weights, padding);
  } catch (error) {
    return { ...state, outputs: [], copies: [], row: 0, column: 0, error: error.message };
  }
  state.copies = spread(ones(state.pixels), ones(state.weights), padding);
  state.grid = state.scatter ? size : state.outputs.length; // the side of the grid in which something is chosen
  [state.row, state.column] = rowAndColumn(model, state.grid - 1);
  // In "scatter" the copies up to the chosen pixel lie there, the cropped cells too; null where none lies yet.
  const down = (value, r, c) => (r * size + c <= state.row * size + state.column ? value : 0);
  const laid = (pixels, weights) => spread(pixels.map((line, r) => line.map((value, c) => down(value, r, c))), weights, 0);
  const touched = laid(ones(state.pixels), ones(state.weights));
  state.soFar = laid(state.pixels, state.weights).map((line, r) => line.map((value, c) => (touched[r][c] ? value : null)));
  const asked = model.get("asked");
  state.asked = state.scatter && Array.isArray(asked) && asked.length === 2
    ? asked.map((index) => whole(index, [0, state.outputs.length - 1])) : null;
  return state;
}

// What output (row, column) reads: places counted in pixels with zeros between them, each with the turned weight.
function windowOf({ row, column, padding, kernel_size, laid, pixels, stride }) {
  const [top, left] = [row, column].map((index) => index + padding - kernel_size + 1);
  return laid.flatMap((weights, r) => weights.map((weight, s) => {
    const [y, x] = [top + r, left + s];
    return { row: y, column: x, weight, value: pixels[y / stride]?.[x / stride] ?? null };
  }));
}

// What has made the output that is asked for, of the copies laid down so far.
function answer({ asked, size, kernel_size, stride, padding, pixels, weights, row, column, soFar }) {
  if (!asked) return "";
  const [y, x] = asked.map((index) => index + padding);
  const all = square(size, (i, j) => ({ i, j, weight: weights[y - i * stride]?.[x - j * stride] })).flat().filter(({ weight }) => weight !== undefined);
  const down = all.filter(({ i, j }) => i * size + j <= row * size + column);
  const terms = down.map(({ i, j, weight }) => `${number(pixels[i][j])}·${number(weight)}`);
  const made = terms.length ? `${terms.join(" + ")} = ${number(soFar[y][x])}` : "nothing";
  const rest = all.length - down.length;
  return ` Output row ${asked[0] + 1}, column ${asked[1] + 1}: ${made}${rest ? `, ${count(rest, "term")} to come` : ""}.`;
}

function describe(state) {
  if (state.error) return sentence(state.error);
  const { row, column, kernel_size: k, stride, padding, outputs, copies } = state;
  const where = `row ${row + 1}, column ${column + 1}`;
  if (state.scatter) {
    const inside = (index) => [...Array(k).keys()].filter((tap) => outputs[index * stride + tap - padding]).length;
    const lost = k * k - inside(row) * inside(column);
    const pixel = number(state.pixels[row][column]);
    return `Pixel ${where} is ${pixel}: it adds ${pixel} times the kernel to `
      + `${count(k * k, "cell")}${lost ? `, ${lost} of them cropped` : ""}.${answer(state)}`;
  }
  if (state.turned) {
    const met = windowOf(state).filter(({ value }) => value !== null).length;
    return `Output ${where} is ${number(outputs[row][column])}: the turned kernel meets ${count(met, "pixel")} among the zeros.`;
  }
  const [least, most] = [Math.min(...copies.flat()), Math.max(...copies.flat())];
  const many = copies[row][column];
  return `Output ${where} lies under ${many} ${many === 1 ? "copy" : "copies"} of the kernel; `
    + `the count over all outputs is ${least === most ? `${least} everywhere` : `${least} to ${most}`}.`;
}

function sum(state) {
  if (state.error || state.view === "count copies") return "";
  if (state.scatter) {
    const pixel = state.pixels[state.row][state.column];
    return state.weights.map((row) => row.map((weight) => `${number(pixel)}·${number(weight)}`).join(", ")).join("\n");
  }
  const terms = windowOf(state).filter(({ value }) => value !== null).map(({ weight, value }) => `${number(weight)}·${number(value)}`);
  return terms.length ? `${terms.join(" + ")} = ${number(state.outputs[state.row][state.column])}` : "nothing but zeros";
}

function formula({ size, kernel_size: k, stride, padding, output_padding, outputs, error }) {
  if (error) return "";
  // All sizes that the convolution rounds to this one.
  const sizes = Array.from({ length: stride }, (_, more) => outputs.length - output_padding + more).filter((n) => n > 0);
  const back = `A convolution with this kernel, stride and padding makes ${size} of ${sizes.join(", ").replace(/, (\d+)$/, " or $1")}`;
  return `(${size} − 1)·${stride} − 2·${padding} + ${k} + ${output_padding} = ${outputs.length}. ${back}${sizes.length > 1 ? ": the output padding chooses which" : ""}.`;
}

function evenness({ kernel_size: k, stride, error }) {
  if (error || stride === 1) return "";
  return k % stride ? `${k} is no multiple of ${stride}: away from the border the counts alternate, which favours a checkerboard.`
    : `${k} is a multiple of ${stride}: away from the border every output lies under ${(k / stride) ** 2}.`;
}

// A grid of cells from first to last on both axes; draw(row, column) says what is in a cell, or gives the node itself.
function drawGrid(first, last, unit, draw, ...marks) {
  const side = (last - first + 1) * unit;
  const cells = square(last - first + 1, (r, c) => {
    const cell = draw(r + first, c + first);
    const node = drawCell({ x: c * unit, y: r * unit, size: unit, ...cell });
    if (cell.pick) node.addEventListener("click", cell.pick);
    return node;
  });
  const frames = marks.map(([row, column, span]) =>
    h("rect", { class: "cnn-frame", x: (column - first) * unit, y: (row - first) * unit, width: span * unit, height: span * unit }));
  return drawing(side, side, ...cells.flat(), ...frames);
}

function drawSource(state, pick) {
  const { size, kernel_size: k, stride, padding, pixels, outputs, row, column } = state;
  const look = (value, more = {}) => ({ text: number(value), role: "input", tint: 0.03 * value, ...more });
  if (!state.turned) {
    return drawGrid(0, size - 1, state.scatter ? cellSize(36) : readCellSize(), (r, c) => look(pixels[r][c], state.scatter
      ? { strong: r === row && c === column, pick: () => pick(r, c) } : {}));
  }
  const lies = new Map(windowOf(state).map((tap) => [`${tap.row},${tap.column}`, number(tap.weight)]));
  return drawGrid(padding - k + 1, padding + outputs.length - 1, readCellSize(), (r, c) => {
    const corner = lies.get(`${r},${c}`) ?? null;
    const value = pixels[r / stride]?.[c / stride];
    return value === undefined ? { text: 0, role: "padding", corner } : look(value, { corner });
  }, [row + padding - k + 1, column + padding - k + 1, k]);
}

function drawKernel({ laid, kernel_size }) {
  return drawGrid(0, kernel_size - 1, readCellSize(), (r, c) => ({ text: number(laid[r][c]), role: "kernel" }), [0, 0, kernel_size]);
}

// While copies are laid down, all cells are there, also those that are cropped.
function drawOutput(state, pick) {
  const { scatter, outputs, copies, soFar, asked, pixels, weights, stride, padding, kernel_size: k, row, column } = state;
  const shown = state.view === "count copies" ? copies : outputs;
  const most = Math.max(1, ...shown.flat());
  const cell = (r, c) => {
    const more = { strong: scatter ? asked?.[0] === r && asked[1] === c : r === row && c === column, pick: () => pick(r, c) };
    if (!scatter) return { text: number(shown[r][c]), role: "output", tint: 0.3 * shown[r][c] / most, ...more };
    const value = soFar[r + padding][c + padding];
    const weight = weights[r + padding - row * stride]?.[c + padding - column * stride];
    const laid = { text: value === null ? "" : number(value), corner: weight === undefined ? null : number(weight * pixels[row][column]) };
    if (shown[r]?.[c] === undefined) return { role: "padding", ...laid };
    return { role: "output", tint: 0.3 * (value ?? 0) / most, ...laid, ...more };
  };
  const unit = cellSize(36);
  return scatter
    ? drawGrid(-padding, soFar.length - padding - 1, unit, cell, [row * stride - padding, column * stride - padding, k])
    : drawGrid(0, outputs.length - 1, unit, cell);
}

export default {
  render({ model, el }) {
    let state = readState(model);
    const part = (tag, name, attributes = {}) => h(tag, { class: name, ...attributes });
    const heads = Object.fromEntries(["source", "kernel", "output"].map((name) => [name, part("p", "cnn-heading")]));
    const source = part("div", "cnn-scroll");
    const output = part("div", "cnn-scroll");
    const kernel = h("div");
    const terms = part("p", "cnn-products");
    const result = part("p", "cnn-result cnn-steady", { "aria-live": "polite" });
    const size = part("p", "cnn-formula");
    const even = part("p", "cnn-formula");
    const twin = part("div", "cnn-scroll", { tabindex: 0, role: "group", "aria-label": "Tables" });
    const controls = [
      ["size", "Input size W", "input"], ["kernel_size", "Kernel size F", "kernel"], ["stride", "Stride S", "output"],
      ["padding", "Padding p", "padding"], ["output_padding", "Output padding", "output"],
    ].map(([name, label, role]) => [name, slider(model, "transposed_convolution", name, label, role)]);
    controls.push(
      ["view", choice("View", VIEWS, (view) => assign(model, { view, position: [0, 0], asked: [] }))],
      ["image", choice("Image", PIXELS, (image) => assign(model, { image }))],
      ["kernel", choice("Kernel", WEIGHTS, (name) => assign(model, { kernel: name }))],
    );
    const step = button("Step", () => {
      const next = state.row * state.grid + state.column + 1;
      move(Math.floor(next / state.grid) % state.grid, next % state.grid);
    });
    const all = button("Lay down all", () => move(state.size - 1, state.size - 1));
    const save = button("Save SVG", () => saveSvg("transposed-convolution", [source, kernel, output].map((node) => node.firstChild)));

    function move(row, column) {
      assign(model, { position: [row, column] });
    }

    // An output of "scatter" is asked what made it; elsewhere it is where the figure stands.
    function pick(row, column) {
      if (state.scatter) assign(model, { asked: [row, column] });
      else move(row, column);
    }

    // From `place` in a grid of `size` an arrow key goes on.
    function keys(event, place, size, go) {
      const by = arrow(event);
      if (by && !state.error) go(...place.map((index, axis) => whole(index + by[axis], [0, size - 1])));
    }

    // A grid in which something is chosen takes the arrow keys; another only scrolls.
    function focusable(node, label, choose) {
      node.classList.toggle("cnn-pad", Boolean(choose));
      node.tabIndex = 0;
      node.dataset.lmSuppressShortcuts = "true";
      node.setAttribute("role", choose ? "application" : "group");
      node.setAttribute("aria-label", choose ? `${label}: the arrow keys choose` : label);
      node.onkeydown = choose ?? null;
    }

    function draw() {
      state = readState(model);
      const { size: n, kernel_size: k, outputs, error } = state;
      const m = outputs.length;
      for (const [name, control] of controls) control.set(state[name]);
      figure.classList.toggle("cnn-broken", Boolean(error));
      all.hidden = !state.scatter;
      for (const action of [step, all, save]) action.disabled = Boolean(error);
      result.textContent = describe(state);
      size.textContent = formula(state);
      even.textContent = evenness(state);
      twin.replaceChildren();
      if (error) return;
      const here = [state.row, state.column];
      focusable(source, "Input grid", state.scatter && ((event) => keys(event, here, n, move)));
      focusable(output, "Output grid", (event) => keys(event, state.scatter ? state.asked ?? [0, -1] : here, m, pick));
      heads.source.textContent = state.turned ? `Input ${n} × ${n} among zeros` : `Input ${n} × ${n}`;
      heads.kernel.textContent = `Kernel ${k} × ${k}${state.turned ? ", turned by half a turn" : ""}`;
      heads.output.textContent = state.view === "count copies" ? `Copies on each of ${m} × ${m} outputs` : `Output ${m} × ${m}${state.scatter && state.row + state.column < 2 * n - 2 ? " so far" : ""}${state.scatter && state.padding ? `, cropped by ${state.padding} on every side` : ""}`;
      source.replaceChildren(drawSource(state, move));
      kernel.replaceChildren(drawKernel(state));
      output.replaceChildren(drawOutput(state, pick));
      terms.textContent = sum(state);
      twin.append(gridTable("Input", state.pixels), gridTable("Kernel", state.weights), gridTable("Output", outputs), gridTable("Copies of the kernel on each output", state.copies));
    }

    const panel = (name, role, ...body) => h("div", { class: `cnn-panel cnn-as-${role}` }, heads[name], ...body);
    const figure = h("div", { class: "cnn-figure", role: "group", "aria-label": "Transposed convolution" },
      // The controls come first: what they change in size must not push them away.
      h("div", { class: "cnn-controls" }, ...controls.map(([, control]) => control)), h("div", { class: "cnn-actions" }, step, all, save), result, size, even,
      h("div", { class: "cnn-panels" }, h("div", { class: "cnn-stack" }, panel("source", "input", source),
        panel("kernel", "kernel", h("div", { class: "cnn-sum" }, kernel, terms))), panel("output", "output", output)),
      h("details", {}, h("summary", {}, "As tables"), twin));
    el.append(figure);
    model.on("change", draw);
    draw();
    return () => model.off("change", draw);
  },
};
