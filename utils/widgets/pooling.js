// Pooling and its gradient: who wins a window, where the gradient goes, what unpooling can put back.

function readState(model) {
  const state = bounded(model, "pooling");
  state.kind = model.get("kind") === "average" ? "average" : "max";
  state.image = POOLED_IMAGES.includes(model.get("image")) ? model.get("image") : POOLED_IMAGES[0];
  state.ceil_mode = model.get("ceil_mode") === true;
  state.side = model.get("side") === "input" ? "input" : "output";
  const { size, kind, kernel_size, stride, padding, ceil_mode } = state;
  state.pixels = makeImage(state.image, size);
  try {
    state.windows = poolWindows(kind, state.pixels, kernel_size, stride, padding, ceil_mode);
  } catch (error) {
    return { ...state, error: error.message };
  }
  const { windows } = state;
  state.outputs = windows.map((row) => row.map(({ value }) => value));
  state.upstream = square(windows.length, (row, column) => row * windows.length + column + 1);
  const gradientAt = (row, column) => sum(windows.flat().map((window, i) => poolShare(window, i + 1, row, column)));
  state.gradient = square(size, gradientAt);
  state.reads = square(size, (row, column) => readers(state, row, column).length);
  state.unpooled = square(size, (row, column) => wonBy(state, row, column)[0]?.value ?? 0);
  [state.row, state.column] = rowAndColumn(model, (state.side === "input" ? size : windows.length) - 1);
  return state;
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

function isAt(tap, row, column) {
  return tap?.row === row && tap?.column === column;
}

// The windows that a pixel lies in, and those of them that it wins.
function readers({ windows }, row, column) {
  return windows.flat().filter(({ pixels }) => pixels.some((tap) => isAt(tap, row, column)));
}

function wonBy({ windows }, row, column) {
  return windows.flat().filter(({ winner }) => isAt(winner, row, column));
}

// ---- text

function about(value) {
  return `${(25 * Math.round(144 * Math.abs(value))) % 36 ? "about " : ""}${decimal(value)}`;
}

function place(row, column) {
  return `row ${row + 1}, column ${column + 1}`;
}

function describe(state, chosen) {
  if (state.error) return sentence(state.error);
  const { row, column } = chosen;
  return chosen.side === "output" ? aboutOutput(state, row, column) : aboutPixel(state, row, column);
}

function aboutOutput({ windows, upstream }, row, column) {
  const { value, pixels, counted, winner } = windows[row][column];
  const gradient = upstream[row][column];
  const said = `Output ${place(row, column)} is ${about(value)}`;
  if (winner) {
    const equals = pixels.filter((tap) => tap.value === value).length;
    return `${said}, the largest of ${count(pixels.length, "pixel")}${equals > 1 ? ` (the first of ${equals} equal ones)` : ""}; `
      + `its gradient ${number(gradient)} goes whole to ${place(winner.row, winner.column)}.`;
  }
  const padded = counted > pixels.length ? `, ${counted - pixels.length} of them padding` : "";
  return `${said}, the mean of ${count(counted, "number")}${padded}; `
    + `its gradient ${number(gradient)} is divided by ${counted}, and ${about(gradient / counted)} goes to each.`;
}

function aboutPixel(state, row, column) {
  const { kind, pixels, reads, gradient } = state;
  const said = `Pixel ${place(row, column)} is ${number(pixels[row][column])}: `;
  const windows = reads[row][column];
  if (!windows) return `${said}no window reads it, so its gradient is 0.`;
  const lies = `${said}it lies in ${count(windows, "window")}`;
  if (kind === "average") return `${lies} and its gradient is ${about(gradient[row][column])}${windows > 1 ? ", a share from each" : ""}.`;
  return `${lies}, wins ${wonBy(state, row, column).length || "none"}, and its gradient is ${decimal(gradient[row][column])}.`;
}

// The sum behind the sentence.
function working(state, { side, row, column }) {
  const equals = (value) => `${about(value) === decimal(value) ? "=" : "≈"} ${decimal(value)}`;
  if (side === "output") {
    const { taps, counted, winner, value } = state.windows[row][column];
    if (winner) return `max(${taps.map((tap) => (tap.value === null ? "−∞" : number(tap.value))).join(", ")}) = ${number(value)}`;
    const within = taps.filter((tap) => Math.max(tap.row, tap.column) < state.size + state.padding);
    return `(${within.map((tap) => number(tap.value ?? 0)).join(" + ")}) / ${counted} ${equals(value)}`;
  }
  const from = state.kind === "max" ? wonBy(state, row, column) : readers(state, row, column);
  const terms = from.map((window) => {
    const gradient = number(state.upstream[window.row][window.column]);
    return window.winner ? gradient : `${gradient}/${window.counted}`;
  });
  const made = terms.length > 1 || (terms.length && state.kind === "average") ? `= ${terms.join(" + ")} ` : "";
  return `gradient ${made}${equals(state.gradient[row][column])}`;
}

function facts({ error, gradient, upstream }) {
  if (error) return "";
  const [before, after] = [upstream, gradient].map((grid) => sum(grid.flat()));
  const lost = before - after;
  return `${gradient.flat().filter(Boolean).length} of ${gradient.flat().length} pixels get a gradient. Its sum is ${decimal(before)} `
    + `at the output and ${about(after)} at the input: ${decimal(lost) === "0" ? "nothing is lost" : `${about(lost)} falls on the padding`}.`;
}

export default {
  render({ model, el }) {
    let state = readState(model);
    let peek = null;
    let drawn = null;
    let grids = {};
    const unit = cellSize(40);
    const names = { input: "Input", output: "Output", upstream: "Gradient at output", gradient: "Gradient at input", unpooled: "Unpooled" };
    const roles = { input: "input", output: "output", upstream: "gradient", gradient: "gradient", unpooled: "output" };
    const heads = Object.fromEntries(Object.keys(names).map((name) => [name, h("p", { class: "cnn-heading" }, names[name])]));
    const boxes = Object.fromEntries(Object.keys(names).map((name) => [name, h("div", { class: "cnn-scroll cnn-pad", tabindex: 0, ...({
      input: { role: "application", "aria-label": "Input grid: the arrow keys choose a pixel", keydown: (event) => onKey(event, "input") },
      output: { role: "application", "aria-label": "Output grid: the arrow keys choose an output", keydown: (event) => onKey(event, "output") },
    }[name] ?? { role: "group", "aria-label": names[name] }) })]));
    const result = h("p", { class: "cnn-result cnn-steady", "aria-live": "polite" });
    const terms = h("p", { class: "cnn-formula" });
    const tally = h("p", { class: "cnn-formula" });
    const twin = h("div", { class: "cnn-scroll", tabindex: 0, role: "group", "aria-label": "Tables" });
    const controls = [
      ["kind", choice("Pooling", ["max", "average"], (kind) => assign(model, { kind }))],
      ["image", choice("Image", POOLED_IMAGES, (image) => assign(model, { image }))],
      ...[
        ["size", "Input size W", "input"], ["kernel_size", "Kernel size F", "kernel"], ["stride", "Stride S", "output"], ["padding", "Padding p", "padding"],
      ].map(([name, label, role]) => [name, slider(model, "pooling", name, label, role)]),
      ["ceil_mode", checkbox("Round the size up (ceil_mode)", (ceil_mode) => assign(model, { ceil_mode }))],
    ];
    const save = button("Save SVG", () => saveSvg("pooling", Object.values(grids).map(({ svg }) => svg)));

    function onKey(event, side) {
      const by = arrow(event);
      if (!by || state.error) return;
      const from = state.side === side ? [state.row, state.column] : [0, 0];
      const last = (side === "input" ? state.size : state.windows.length) - 1;
      assign(model, { side, position: from.map((index, axis) => whole(index + by[axis], [0, last])) });
    }

    function look(chosen) {
      if (JSON.stringify(peek) === JSON.stringify(chosen)) return;
      peek = chosen;
      drawMarks();
    }

    // A cell to choose: hovering shows it, a click or a tap keeps it.
    function cell(side, row, column, options) {
      const node = drawCell({ size: unit, x: column * unit, y: row * unit, ...options });
      node.classList.toggle("cnn-long", options.text.length > 4);
      node.addEventListener("click", () => assign(model, { side, position: [row, column] }));
      // Not pointerover: that also comes when the page moves under a resting mouse.
      node.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") look({ side, row, column }); });
      return node;
    }

    function drawInput() {
      const { size, padding, kind, pixels, windows, reads } = state;
      const ends = windows.at(-1).at(-1).taps.at(-1).row + 1;
      const full = padding + Math.max(size + padding, ends);
      const most = Math.max(1, ...pixels.flat().map(Math.abs));
      const cells = square(full, (r, c) => {
        const [row, column] = [r - padding, c - padding];
        const [x, y, value] = [c * unit, r * unit, pixels[row]?.[column]];
        if (value !== undefined) {
          const unread = !reads[row][column];
          const tint = 0.3 * Math.abs(value) / most;
          return cell("input", row, column, { x, y, role: "input", text: number(value), tint, unread, strong: wonBy(state, row, column).length > 0 });
        }
        const text = kind === "max" ? "−∞" : Math.max(row, column) < size + padding ? "0" : "";
        return drawCell({ x, y, size: unit, role: "padding", text });
      });
      return layered(full * unit, full * unit, cells.flat());
    }

    function drawGrid(values, side, role, tinted = 0.3) {
      const most = Math.max(1, ...values.flat().map(Math.abs));
      const cells = values.map((line, r) => line.map((value, c) => cell(side, r, c, {
        role: typeof role === "string" ? role : role(r, c), text: decimal(value), tint: tinted * Math.abs(value) / most,
      })));
      return layered(values.length * unit, values.length * unit, cells.flat());
    }

    function drawMarks() {
      if (state.error) return;
      const { side, row, column } = peek ?? state;
      const { padding, kind } = state;
      const frame = (role, [r, c], rounded = false) => mark(role, c * unit, r * unit, unit, unit, rounded);
      const onInput = (role, tap, rounded = false) => frame(role, [tap.row + padding, tap.column + padding], rounded);
      const at = (tap) => [tap.row, tap.column];
      const marks = { input: [], output: [], upstream: [], gradient: [], unpooled: [] };
      if (side === "output") {
        const window = state.windows[row][column];
        const reach = state.kernel_size * unit;
        marks.input.push(mark("kernel", column * state.stride * unit, row * state.stride * unit, reach));
        if (window.winner) marks.input.push(onInput("output", window.winner, true));
        marks.output.push(frame("output", [row, column], true));
        marks.upstream.push(frame("gradient", [row, column]));
        marks.gradient.push(...(window.winner ? [window.winner] : window.pixels).map((tap) => frame("gradient", at(tap))));
        if (window.winner) marks.unpooled.push(frame("output", at(window.winner), true));
      } else {
        const fed = kind === "max" ? wonBy(state, row, column) : readers(state, row, column);
        marks.input.push(onInput("input", { row, column }));
        for (const window of readers(state, row, column)) {
          marks.output.push(frame(fed.includes(window) ? "output" : "kernel", at(window), true));
        }
        marks.upstream.push(...fed.map((window) => frame("gradient", at(window))));
        marks.gradient.push(frame("gradient", [row, column]));
        marks.unpooled.push(frame("input", [row, column]));
      }
      for (const [name, grid] of Object.entries(grids)) grid.marks.replaceChildren(...marks[name]);
      result.textContent = describe(state, peek ?? state);
      terms.textContent = working(state, peek ?? state);
    }

    function drawGrids() {
      const { size, padding, kind, outputs, upstream, gradient, unpooled } = state;
      grids = {
        input: drawInput(), output: drawGrid(outputs, "output", "output"),
        upstream: drawGrid(upstream, "output", "gradient"), gradient: drawGrid(gradient, "input", "gradient"),
        ...(kind === "max" ? { unpooled: drawGrid(unpooled, "input", (r, c) => (wonBy(state, r, c).length ? "output" : "input")) } : {}),
      };
      heads.input.textContent = `Input ${size} × ${size}${padding ? `, padded by ${padding}` : ""}`;
      heads.output.textContent = `Output ${outputs.length} × ${outputs.length}`;
      for (const [name, grid] of Object.entries(grids)) boxes[name].replaceChildren(grid.svg);
      boxes.unpooled.parentElement.hidden = kind !== "max";
      twin.replaceChildren(gridTable("Input", state.pixels), gridTable("Output", outputs, decimal),
        gridTable("Gradient at the output", upstream), gridTable("Gradient at the input", gradient, decimal),
        ...(kind === "max" ? [gridTable("Unpooled", unpooled)] : []));
    }

    function draw() {
      state = readState(model);
      peek = null;
      for (const [name, control] of controls) control.set(state[name]);
      tally.textContent = facts(state);
      terms.classList.toggle("cnn-steady", state.kind === "average" && state.kernel_size > 2); // up to two lines of numbers
      figure.classList.toggle("cnn-broken", Boolean(state.error));
      save.disabled = Boolean(state.error);
      if (state.error) {
        result.textContent = describe(state, state);
        terms.textContent = "";
        drawn = null;
        twin.replaceChildren();
        return;
      }
      // What the cells depend on; the rest is marks on them.
      const now = controls.map(([name]) => state[name]).join();
      if (now !== drawn) drawGrids();
      drawn = now;
      drawMarks();
    }

    const panel = (name) => h("div", { class: `cnn-panel cnn-as-${roles[name]}` }, heads[name], boxes[name]);
    const figure = h("div", { class: "cnn-figure", role: "group", "aria-label": "Pooling and its gradient", pointerleave: () => peek && look(null) },
      // The controls come first: what they change in size must not push them away.
      h("div", { class: "cnn-controls" }, ...controls.map(([, control]) => control)), h("div", { class: "cnn-actions" }, save), result, terms, tally,
      h("div", { class: "cnn-panels" }, panel("input"), h("div", { class: "cnn-stack cnn-pair" }, panel("output"), panel("upstream")),
        h("div", { class: "cnn-group" }, panel("gradient"), panel("unpooled"))),
      h("details", {}, h("summary", {}, "As tables"), twin));
    el.append(figure);
    model.on("change", draw);
    draw();
    return () => model.off("change", draw);
  },
};
