// Who reads whom: kernels slide through all channels, a slice for every pair; and what groups leave out.

function readState(model) {
  const state = bounded(model, "channel_mixer");
  const { in_channels, out_channels, kernel_size, groups, size } = state;
  state.channel = Math.min(state.channel, out_channels - 1);
  try {
    Object.assign(state, channelMix(in_channels, out_channels, kernel_size, groups, size, (last) => rowAndColumn(model, last)));
  } catch (error) {
    state.error = error.message;
  }
  return state;
}

// What the cells depend on; the rest is marks on them.
function shape({ in_channels, out_channels, groups, kernel_size, size, row, column }) {
  return [in_channels, out_channels, groups, kernel_size, size, row, column].join();
}

function listed(channels, of) {
  const [first, last] = [channels[0] + 1, channels.at(-1) + 1];
  if (channels.length === of) return of === 1 ? "the only input channel" : `all ${of} input channels`;
  if (channels.length === 1) return `input channel ${first} alone`;
  return `input channels ${first} ${channels.length === 2 ? "and" : "to"} ${last}`;
}

function describe(state, { channel }) {
  if (state.error) return sentence(state.error);
  const { in_channels: c, out_channels: k, groups, kernel_size, reads, outputs, weightCount, side, row, column } = state;
  const where = side > 1 ? ` at row ${row + 1}, column ${column + 1}` : "";
  return `Output channel ${channel + 1} of ${k} reads ${listed(reads[channel], c)}, and its sum${where} is ${number(outputs[channel][row][column])}; `
    + `the layer has ${k} · ${groups > 1 ? `${c}/${groups}` : c} · ${kernel_size}² = ${count(weightCount, "weight")}.`;
}

function verdict({ in_channels: c, out_channels: k, groups, kernel_size, weightCount, error }) {
  if (error) return "Every group needs the same number of input channels, and of output channels.";
  const share = `1/${groups} of the ${number(weightCount * groups)} weights that groups = 1 has`;
  const point = kernel_size === 1;
  if (c === 1) return "One input channel: there is nothing to mix.";
  if (groups === 1) return point
    ? `1 × 1 convolution: every slice is one weight, ${k * c} in all. It mixes channels and reads no neighbours.`
    : `Ordinary convolution: each kernel, a row, has a slice for every input; ${count(k * c, "slice")} in all.`;
  if (groups === c) return point
    ? `Depthwise and 1 × 1: every channel is only scaled; ${share}.`
    : `Depthwise convolution, groups = C: each kernel is one slice and reads one input; ${share}.`;
  return `Grouped convolution: ${groups} layers side by side that share nothing; ${share}.`;
}

function sums({ reads, taps, parts, outputs, kernel_size, row, column }, { channel }) {
  const values = reads[channel].map((c) => number(parts[channel][c]));
  const lines = reads[channel].map((c, i) => `input ${c + 1}: ${products(taps(channel, c))}${kernel_size > 1 ? ` =\u00a0${values[i]}` : ""}`);
  return values.length === 1 ? lines[0] : `${lines.join("\n")}\nin all: ${values.join(" + ")} = ${number(outputs[channel][row][column])}`;
}

export default {
  render({ model, el }) {
    let state = readState(model);
    let peek = null;
    let parts = {};
    const part = (tag, name, attributes = {}) => h(tag, { class: name, ...attributes });
    const grid = part("div", "cnn-scroll cnn-pad", {
      tabindex: 0, role: "application", "aria-label": "Kernels: up and down choose an output channel, left and right move the kernel", keydown: onKey,
    });
    dragging(grid, choose, (x, y) => holds(tapped(x, y)));
    const heading = part("p", "cnn-heading");
    const terms = part("p", "cnn-products cnn-mixed");
    const result = part("p", "cnn-result cnn-steady", { "aria-live": "polite" });
    const facts = part("p", "cnn-formula cnn-steady");
    const twin = part("div", "cnn-scroll", { tabindex: 0, role: "group", "aria-label": "Tables" });
    const all = [
      ["in_channels", "Channels in C", "input"], ["out_channels", "Channels out K", "output"],
      ["groups", "Groups G", "kernel"], ["kernel_size", "Kernel size F", "kernel"],
    ].map(([name, label, role]) => [name, slider(model, "channel_mixer", name, label, role)]);
    const controls = shownControls(model, all);
    const onward = button("Step", () => step(1));
    const save = button("Save SVG", () => saveSvg("channel-mixer", [parts.svg]));

    function look(channel) {
      if (peek === channel) return;
      peek = channel;
      drawMarks();
    }

    function onKey(event) {
      const by = arrow(event);
      if (!by || state.error) return;
      if (by[1]) step(by[1]);
      else assign(model, { channel: whole(state.channel + by[0], [0, state.out_channels - 1]) });
    }

    // To the next position of the map in reading order, or the one before.
    function step(by) {
      const { side, row, column } = state;
      const next = (row * side + column + by + side * side) % (side * side);
      assign(model, { position: [Math.floor(next / side), next % side] });
    }

    // The input's cell under the pointer, whichever channel it is in; null beside them.
    function tapped(x, y) {
      if (state.error) return null;
      const { unit, inputs, left, pitch, width, bottom } = measures();
      const [across, down] = [x * (width + 4) - 2 - left, y * (bottom + 56) - 2 - 20];
      const cells = [Math.floor(down / unit), Math.floor((across % pitch) / unit)];
      return across >= 0 && down >= 0 && Math.max(...cells) < state.size && down < inputs ? cells : null;
    }

    function holds(cells) {
      return cells !== null && [state.row, state.column].every((first, axis) => cells[axis] >= first && cells[axis] < first + state.kernel_size);
    }

    // The kernel's middle goes to the input's cell; elsewhere the row is chosen.
    function choose(x, y) {
      if (state.error) return;
      const cells = tapped(x, y);
      if (cells) assign(model, { position: cells.map((index) => whole(index - Math.floor(state.kernel_size / 2), [0, state.side - 1])) });
      else {
        const { side, top, rowPitch, bottom } = measures();
        const row = Math.floor((y * (bottom + 56) - 2 - top + (rowPitch - side) / 2) / rowPitch);
        if (row >= 0 && row < state.out_channels) assign(model, { channel: row });
      }
    }

    // Everything has a 3 × 3 kernel's room, so that nothing moves when the kernel gets smaller. Four columns fit a telephone.
    function measures() {
      const small = matchMedia("(max-width: 500px)").matches;
      const [unit, gap, rowGap, edge, cell] = small ? [state.size > 3 ? 16 : 18, 4, 8, 4, 22] : [24, 14, 14, 18, 30];
      const [side, inputs] = [3 * unit, state.size * unit];
      const made = state.side > 1 ? state.side * cell : 48; // the map's width
      const [left, pitch] = [edge + made + (small ? 6 : 10), inputs + gap];
      const rowPitch = Math.max(side, state.side > 1 ? made + 18 : 0) + rowGap;
      const top = inputs + 34 - rowGap / 2 + (rowPitch - side) / 2;
      return { unit, side, inputs, gap, pitch, rowPitch, left, top, edge, made, cell, width: left + state.in_channels * pitch, bottom: top + state.out_channels * rowPitch - (rowPitch - side - rowGap) / 2 };
    }

    // Numbers from x, y on, with a kernel's frame or an input's border; `tinted` are those that the kernel lies on.
    function tile(x, y, side, role, values, tinted) {
      const { unit } = measures();
      const inset = (side - values.length * unit) / 2;
      const cells = values.flatMap((row, r) => row.map((value, c) => {
        const box = { x: x + inset + c * unit, y: y + inset + r * unit, width: unit, height: unit };
        return [
          h("rect", { ...box, class: "cnn-tint", "fill-opacity": tinted(r, c) ? 0.1 * Math.abs(value) : 0 }), h("rect", { ...box, class: "cnn-border" }),
          h("text", { class: "cnn-value", x: box.x + unit / 2, y: box.y + unit / 2 }, number(value)),
        ];
      }));
      const frame = h("rect", { class: "cnn-frame", x: x + inset, y: y + inset, width: values.length * unit, height: values.length * unit });
      return h("g", { class: `cnn-cell cnn-tile cnn-as-${role}` },
        h("rect", { class: "cnn-hit", x, y, width: side, height: side }), ...cells.flat(), role === "kernel" ? frame : null);
    }

    function drawRow(k) {
      const { side, inputs, pitch, rowPitch, left, top, edge, made, cell, width } = measures();
      const y = top + k * rowPitch;
      const most = Math.max(1, ...state.outputs.flat(2).map(Math.abs));
      const kernels = state.kernels[k].map((kernel, c) => {
        const x = left + c * pitch + (inputs - side) / 2;
        return state.reads[k].includes(c) ? tile(x, y, side, "kernel", kernel, () => true)
          : h("g", { class: "cnn-apart" }, drawCell({ x, y, size: side, role: "padding", text: "" }));
      });
      const middle = y + side / 2;
      const shade = (value) => ({ role: "output", tint: 0.3 * Math.abs(value) / most, text: number(value) });
      const first = state.side > 1 ? middle - made / 2 + 9 : middle - 14;
      const values = state.side > 1
        ? state.outputs[k].flatMap((line, r) => line.map((value, c) => drawCell({
          x: edge + c * cell, y: first + r * cell, size: cell, strong: r === state.row && c === state.column, ...shade(value),
        }))) : [drawCell({ x: edge, y: first, size: 44, width: 48, ...shade(state.outputs[k][0][0]) })];
      const row = h("g", { class: state.side > 1 ? "cnn-tile" : "" },
        h("rect", { class: "cnn-hit", x: 0, y: y - (rowPitch - side) / 2, width, height: rowPitch }), ...kernels,
        h("text", { class: "cnn-label", x: edge + made / 2, y: first - 6 }, `output ${k + 1}`), ...values);
      // Not pointerover: that also comes when the page moves under a resting mouse.
      row.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") look(k); });
      return row;
    }

    function drawGrid() {
      const { pitch, inputs, left, width, bottom } = measures();
      const inside = (i, first) => i >= first && i < first + state.kernel_size;
      const patches = state.pixels.flatMap((values, c) => [
        h("text", { class: "cnn-label", x: left + c * pitch + inputs / 2, y: 8 }, `input ${c + 1}`),
        tile(left + c * pitch, 20, inputs, "input", values, (row, column) => inside(row, state.row) && inside(column, state.column)),
      ]);
      parts = layered(width, bottom + 52, [...patches, ...state.outputs.map((_, k) => drawRow(k))]);
      grid.replaceChildren(parts.svg);
    }

    function drawMarks() {
      if (state.error) return;
      const channel = peek ?? state.channel;
      const { unit, side, inputs, gap, pitch, rowPitch, left, top, edge, made, width, bottom } = measures();
      const column = (c) => left + c * pitch;
      const y = top + channel * rowPitch;
      const on = state.reads[channel].map((c) => h("rect", {
        class: "cnn-frame", x: column(c) + state.column * unit, y: 20 + state.row * unit, width: state.kernel_size * unit, height: state.kernel_size * unit,
      }));
      // The sum in full: what each input contributes, under its column.
      const sign = (x, text) => h("text", { class: "cnn-value", x, y: bottom + 26 }, text);
      const added = state.parts[channel].flatMap((value, c) => {
        const read = state.reads[channel].includes(c);
        const x = column(c) + inputs / 2;
        return [
          drawCell({ x: x - 22, y: bottom + 4, size: 44, role: read ? "output" : "padding", text: read ? number(value) : "" }),
          sign(x - pitch / 2, c ? (read && state.reads[channel].includes(c - 1) ? "+" : "") : ""),
        ];
      });
      parts.marks.replaceChildren(...on, mark("output", 0, y - (rowPitch - side) / 2, width - gap / 2, rowPitch, true),
        drawCell({ x: edge + made - 48, y: bottom + 4, size: 44, width: 48, role: "output", text: number(state.outputs[channel][state.row][state.column]), strong: true }),
        sign(edge + made + 5, "="), ...added);
      terms.textContent = sums(state, { channel });
      result.textContent = describe(state, { channel });
    }

    function drawTwin() {
      const { in_channels, pixels, kernels, reads, parts: of, outputs, row, column } = state;
      const inputs = Array.from({ length: in_channels }, (_, c) => `input ${c + 1}`);
      const rows = (values) => values.map((line) => line.map(number).join(" ")).join(" / ");
      const line = (cell) => outputs.map((value, k) => [`output ${k + 1}`, ...inputs.map((_, c) => (reads[k].includes(c) ? cell(k, c) : "none"))]);
      twin.replaceChildren(
        table("Input, row by row", ["channel", "values"], pixels.map((values, c) => [`input ${c + 1}`, rows(values)])),
        table("The kernels' slices, row by row", ["", ...inputs], line((k, c) => rows(kernels[k][c]))),
        table("What each input adds to each output", ["", ...inputs, "sum"], line((k, c) => number(of[k][c])).map((cells, k) => [...cells, number(outputs[k][row][column])])),
        table("The output maps, row by row", ["channel", "values"], outputs.map((values, k) => [`output ${k + 1}`, rows(values)])));
    }

    function draw() {
      const before = shape(state);
      state = readState(model);
      peek = null;
      for (const [name, control] of controls) control.set(state[name]);
      facts.textContent = verdict(state);
      figure.classList.toggle("cnn-broken", Boolean(state.error));
      onward.hidden = state.error || state.side === 1;
      save.disabled = Boolean(state.error);
      if (state.error) {
        result.textContent = describe(state, state);
        twin.replaceChildren();
        return;
      }
      heading.textContent = `In each row a kernel, and the ${state.side > 1 ? "map" : "output"} that it makes`;
      if (!parts.svg || before !== shape(state)) {
        drawGrid();
        drawTwin();
      }
      drawMarks();
    }

    const figure = h("div", { class: "cnn-figure", role: "group", "aria-label": "Channel mixer", pointerleave: () => peek !== null && look(null) },
      // The controls come first: what they change in size must not push them away.
      h("div", { class: "cnn-controls" }, ...controls.map(([, control]) => control)), h("div", { class: "cnn-actions" }, onward, save), result, facts,
      h("div", { class: "cnn-panels" }, h("div", { class: "cnn-panel cnn-as-kernel" }, heading, grid), h("div", { class: "cnn-panel cnn-aside" }, terms)),
      h("details", {}, h("summary", {}, "As tables"), twin));
    el.append(figure);
    model.on("change", draw);
    draw();
    return () => model.off("change", draw);
  },
};
