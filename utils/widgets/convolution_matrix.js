// A convolution is one matrix: each row of M is one output, each column one pixel, and the weights repeat.

function readState(model) {
  const state = bounded(model, "convolution_matrix");
  const { size, kernel_size, stride, padding } = state;
  state.transposed = model.get("transposed") === true;
  state.side = model.get("side") === "input" ? "input" : "output";
  state.pixels = square(size, (row, column) => (7 * (row * size + column) + 3) % 10);
  state.kernel = makeKernel("counting", kernel_size);
  try {
    state.matrix = convolutionMatrix(size, state.kernel, stride, padding);
  } catch (error) {
    return { ...state, error: error.message };
  }
  state.x = state.pixels.flat();
  state.y = state.matrix.map((row) => dot(row, state.x));
  state.outputs = Math.sqrt(state.y.length);
  state.back = state.x.map((_, i) => dot(column(state.matrix, i), state.y));
  state.index = whole(model.get("index"), [0, state[state.side === "input" ? "x" : "y"].length - 1]);
  return state;
}

function dot(a, b) {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

function column(matrix, index) {
  return matrix.map((row) => row[index]);
}

function place(index, size) {
  return `row ${Math.floor(index / size) + 1}, column ${index % size + 1}`;
}

// What the cells depend on; the rest is marks on them.
function shape({ size, kernel_size, stride, padding, transposed }) {
  return [size, kernel_size, stride, padding, transposed].join();
}

// The weights that join the chosen output or pixel with its partners on the other side.
function links({ matrix, x, y }, { side, index }) {
  const line = side === "output" ? matrix[index] : column(matrix, index);
  const partners = side === "output" ? x : y;
  return line.map((weight, other) => ({ weight, other, value: partners[other] })).filter(({ weight }) => weight);
}

function describe(state, { side, index }) {
  if (state.error) return sentence(state.error);
  const { size, outputs, x, y, back, transposed } = state;
  const joined = links(state, { side, index });
  const weights = joined.map(({ weight }) => weight).join(", ");
  if (side === "output") {
    const where = `output ${place(index, outputs)}`;
    return transposed
      ? `Column ${index + 1} of Mᵀ spreads ${where}, which is ${number(y[index])}, over ${count(joined.length, "pixel")}.`
      : `Row ${index + 1} of M computes ${where}: ${count(joined.length, "pixel")} times ${count(joined.length, "weight")} is ${number(y[index])}.`;
  }
  const where = `pixel ${place(index, size)}`;
  if (!transposed) {
    return `Column ${index + 1} of M: ${where} feeds ${joined.length} of ${count(y.length, "output")}`
      + `${joined.length ? `, through ${joined.length === 1 ? "weight" : "weights"} ${weights}` : ""}.`;
  }
  const verdict = back[index] === x[index] ? "as it was" : `not as ${x[index]}: Mᵀ is not an inverse`;
  return `Row ${index + 1} of Mᵀ brings ${where} back as ${number(back[index])}, ${verdict}.`;
}

function counts({ matrix, transposed, error }) {
  if (error) return "";
  const entries = matrix.flat();
  const held = entries.filter(Boolean);
  const size = [matrix.length, matrix[0].length];
  return `${transposed ? "Mᵀ" : "M"} has ${(transposed ? size.reverse() : size).join(" × ")} = ${number(entries.length)} entries; `
    + `${number(held.length)} are not zero, and they hold only ${count(new Set(held).size, "different weight")}.`;
}

function sum(state, chosen) {
  const terms = products(links(state, chosen)).split(" + ");
  const lines = [];
  while (terms.length) lines.push(terms.splice(0, state.kernel_size));
  const total = (chosen.side === "output") !== state.transposed;
  const result = state[state.transposed ? "back" : "y"][chosen.index];
  return lines.map((line) => line.join(total ? " + " : ", ")).join(total ? " +\n" : ",\n") + (total && lines.length ? ` = ${number(result)}` : "");
}

export default {
  render({ model, el }) {
    let state = readState(model);
    let peek = null;
    let parts = {};
    const part = (tag, name, attributes = {}) => h(tag, { class: name, ...attributes });
    const pad = (side, label) => part("div", "cnn-scroll cnn-pad", {
      tabindex: 0, role: "application", "aria-label": label, keydown: (event) => onKey(event, side),
    });
    const input = pad("input", "Input grid: the arrow keys choose a pixel");
    const output = pad("output", "Output grid: the arrow keys choose an output");
    const back = part("div", "cnn-scroll cnn-back", { tabindex: 0, role: "group", "aria-label": "Transposed product" });
    const matrix = part("div", "cnn-scroll cnn-pad cnn-matrix", { tabindex: 0, role: "group", "aria-label": "Matrix, scrolls" });
    const kernel = h("div");
    const heads = Object.fromEntries(["input", "kernel", "output", "back", "matrix"].map((name) => [name, part("p", "cnn-heading")]));
    const terms = part("p", "cnn-products");
    const result = part("p", "cnn-result cnn-steady", { "aria-live": "polite" });
    const facts = part("p", "cnn-formula");
    const twin = part("div", "cnn-scroll", { tabindex: 0, role: "group", "aria-label": "Tables" });
    const controls = [
      ["size", "Input size W", "input"], ["kernel_size", "Kernel size F", "kernel"], ["stride", "Stride S", "output"], ["padding", "Padding p", "padding"],
    ].map(([name, label, role]) => [name, slider(model, "convolution_matrix", name, label, role)]);
    controls.push(["transposed", checkbox("Transpose: Mᵀ maps outputs back to pixels", (transposed) => {
      assign(model, { transposed, side: transposed ? "input" : "output", index: 0 });
    })]);

    const save = button("Save SVG", () => {
      saveSvg("convolution-matrix", [parts.input.svg, kernel.firstChild, parts.output.svg, parts.matrix.svg]);
    });

    // A cell to choose: hovering shows it, a click or a tap keeps it.
    function cell(side, index, options) {
      const node = drawCell(options);
      node.addEventListener("click", () => assign(model, { side, index }));
      // Not pointerover: that also comes when the page moves under a resting mouse.
      node.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") look({ side, index }); });
      return node;
    }

    function look(chosen) {
      if (peek?.side === chosen?.side && peek?.index === chosen?.index) return;
      peek = chosen;
      drawMarks();
    }

    function onKey(event, side) {
      const by = arrow(event);
      if (!by || state.error) return;
      const size = side === "input" ? state.size : state.outputs;
      const from = state.side === side ? state.index : 0;
      const [row, col] = [Math.floor(from / size) + by[0], from % size + by[1]].map((i) => whole(i, [0, size - 1]));
      assign(model, { side, index: row * size + col });
    }

    function drawGrids() {
      const unit = cellSize(40);
      const { size, padding, pixels, y, outputs, transposed } = state;
      const full = size + 2 * padding;
      const cells = square(full, (r, c) => {
        const [row, col] = [r - padding, c - padding];
        const value = pixels[row]?.[col];
        const options = { x: c * unit, y: r * unit, size: unit, low: true, text: value ?? 0 };
        return value === undefined ? drawCell({ ...options, role: "padding" })
          : cell("input", row * size + col, { ...options, role: "input", tint: 0.03 * value });
      });
      parts.input = layered(full * unit, full * unit, cells.flat());
      const most = Math.max(1, ...y);
      parts.output = layered(outputs * unit, outputs * unit, y.map((value, i) =>
        cell("output", i, { x: (i % outputs) * unit, y: Math.floor(i / outputs) * unit, size: unit, low: true, text: number(value), role: "output", tint: 0.3 * value / most })));
      const wide = 52;
      parts.back = layered(size * wide, size * wide, !transposed ? [] : state.back.map((value, i) =>
        cell("input", i, { x: (i % size) * wide, y: Math.floor(i / size) * wide, size: wide, text: number(value), role: "input", corner: `was ${state.x[i]}` })));
      const k = state.kernel_size;
      kernel.replaceChildren(drawing(k * 36, k * 36, ...state.kernel.flat().map((weight, i) =>
        drawCell({ x: (i % k) * 36, y: Math.floor(i / k) * 36, size: 36, text: weight, role: "kernel", tint: 0.4 * weight / k ** 2 })),
        h("rect", { class: "cnn-frame", width: k * 36, height: k * 36 })));
    }

    // As the equation reads, y = Mx: what comes out stands left of the matrix, what goes in lies over it.
    function drawMatrix() {
      const unit = cellSize(28);
      const { transposed, kernel_size } = state;
      const [rows, columns] = transposed ? ["input", "output"] : ["output", "input"];
      const lines = transposed ? state.x.map((_, i) => column(state.matrix, i)) : state.matrix;
      const vector = transposed ? state.y : state.x;
      const product = transposed ? state.back : state.y;
      const tint = (value, values) => 0.3 * value / Math.max(1, ...values);
      const wide = transposed ? 44 : unit;
      const [left, top] = [64, unit + 8];
      const cells = vector.map((value, c) => cell(columns, c, { x: left + c * wide, y: 0, size: unit, width: wide, text: number(value), role: columns, tint: tint(value, vector) }));
      lines.forEach((line, r) => {
        line.forEach((weight, c) => cells.push(cell(rows, r, {
          x: left + c * wide, y: top + r * unit, size: unit, width: wide, text: weight || "·", role: "entry", tint: 0.4 * weight / kernel_size ** 2,
        })));
        cells.push(cell(rows, r, { x: 0, y: top + r * unit, size: unit, width: 56, text: number(product[r]), role: rows, tint: tint(product[r], product) }));
      });
      parts.matrix = layered(left + vector.length * wide, top + lines.length * unit, cells);
      parts.unit = [unit, wide, left, top];
    }

    function drawMarks() {
      if (state.error) return;
      const chosen = peek ?? state;
      const { side, index } = chosen;
      const { size, padding, stride, kernel_size, outputs, transposed, y, x } = state;
      const unit = cellSize(40);
      const frame = (grid, i, role, weight) => {
        const [c, r] = grid === "input" ? [i % size + padding, Math.floor(i / size) + padding] : [i % outputs, Math.floor(i / outputs)];
        const label = weight ? [h("text", { class: "cnn-corner", x: c * unit + unit - 4, y: r * unit + 9 }, weight)] : [];
        return role ? [mark(role, c * unit, r * unit, unit, unit, grid === "output"), ...label] : label;
      };
      const other = side === "input" ? "output" : "input";
      const own = frame(side, index, side);
      const partners = links(state, chosen).flatMap(({ other: i, weight }) => frame(other, i, side === "input" ? "kernel" : null, weight));
      // Where the kernel lies, over the padding as well.
      if (side === "output") {
        const [r, c] = [Math.floor(index / outputs) * stride, (index % outputs) * stride];
        partners.push(mark("kernel", c * unit, r * unit, kernel_size * unit));
      }
      parts[side].marks.replaceChildren(...own);
      parts[other].marks.replaceChildren(...partners);
      parts.back.marks.replaceChildren(...(transposed && side === "input" ? [mark("input", (index % size) * 52, Math.floor(index / size) * 52, 52)] : []));
      const [cellHeight, cellWidth, left, top] = parts.unit;
      const [length, height] = transposed ? [y.length, x.length] : [x.length, y.length];
      const isRow = (side === "output") !== transposed;
      parts.matrix.marks.replaceChildren(isRow
        ? mark("kernel", 0, top + index * cellHeight, left + length * cellWidth, cellHeight)
        : mark("kernel", left + index * cellWidth, 0, cellWidth, top + height * cellHeight));
      terms.textContent = sum(state, chosen);
      result.textContent = describe(state, chosen);
    }

    // Up to 3,600 cells: written only for whoever opens it.
    function drawTwin() {
      if (!details.open || state.error) return;
      const { size: n, outputs: m } = state;
      const labels = (length, size) => Array.from({ length }, (_, i) => place(i, size));
      twin.replaceChildren(
        table("M: a row for each output, a column for each pixel", ["output", ...labels(n * n, n)], state.matrix.map((row, i) => [place(i, m), ...row])),
        table("Input, and what the transposed matrix makes of the output", ["pixel", "x", "Mᵀ(Mx)"], state.x.map((value, i) => [place(i, n), value, number(state.back[i])])),
        table("Output", ["output", "y"], state.y.map((value, i) => [place(i, m), number(value)])));
    }

    function drawAll() {
      const { size: n, outputs: m, padding, transposed } = state;
      drawGrids();
      drawMatrix();
      drawTwin();
      heads.input.textContent = `Input x, ${n} × ${n}${padding ? `, padded to ${n + 2 * padding} × ${n + 2 * padding}` : ""}`;
      heads.kernel.textContent = `Kernel ${state.kernel_size} × ${state.kernel_size}`;
      heads.output.textContent = `Output y = Mx, ${m} × ${m}`;
      heads.back.textContent = `Mᵀy, ${n} × ${n} again`;
      heads.matrix.textContent = transposed ? "Mᵀ: a row for each pixel, a column for each output" : "M: a row for each output, a column for each pixel";
      for (const [name, node] of Object.entries({ input, output, back, matrix })) node.replaceChildren(parts[name].svg);
      back.parentElement.hidden = !transposed;
    }

    function draw() {
      const before = shape(state);
      state = readState(model);
      peek = null;
      for (const [name, control] of controls) control.set(state[name]);
      facts.textContent = counts(state);
      figure.classList.toggle("cnn-broken", Boolean(state.error));
      save.disabled = Boolean(state.error);
      if (state.error) {
        result.textContent = describe(state, state);
        twin.replaceChildren();
        return;
      }
      if (!parts.matrix || before !== shape(state)) drawAll();
      drawMarks();
      const [cellHeight, cellWidth, left, top] = parts.unit.map((length) => length * enlarged());
      const isRow = (state.side === "output") !== state.transposed;
      if (isRow) matrix.scrollTop = top + (state.index + 0.5) * cellHeight - matrix.clientHeight / 2;
      else matrix.scrollLeft = left + (state.index + 0.5) * cellWidth - matrix.clientWidth / 2;
    }

    const panel = (name, role, ...body) => h("div", { class: `cnn-panel cnn-as-${role}` }, heads[name], ...body);
    const details = h("details", { toggle: drawTwin }, h("summary", {}, "As tables"), twin);
    const figure = h("div", { class: "cnn-figure", role: "group", "aria-label": "Convolution as a matrix", pointerleave: () => peek && look(null) },
      // The controls come first: what they change in size must not push them away.
      h("div", { class: "cnn-controls" }, ...controls.map(([, control]) => control)), h("div", { class: "cnn-actions" }, save), result, facts,
      h("div", { class: "cnn-panels" }, panel("input", "input", input),
        h("div", { class: "cnn-stack" }, panel("kernel", "kernel", h("div", { class: "cnn-sum" }, kernel, terms)), panel("output", "output", output)),
        panel("back", "input", back), panel("matrix", "kernel", matrix)),
      details);
    el.append(figure);
    model.on("change", draw);
    draw();
    return () => model.off("change", draw);
  },
};
