// A kernel lies on a photograph: the patch under it, the sum of its products, and the map of all sums.

const PHOTO_PIXELS = 288; // a side of the photograph and of its map on the screen
const SWEEP_TICKS = 120;
const TICK = 40; // milliseconds

// Dragging asks for the same map again and again.
const lastMap = { key: null, value: null };

function readMap(text, kernel) {
  const key = `${kernel} ${text}`;
  if (lastMap.key !== key) {
    const [pixels, weights] = [readPixels(text, [8, 96]), makeKernel(kernel, 3)];
    const total = weights.flat().reduce((whole, weight) => whole + weight, 0);
    Object.assign(lastMap, { key, value: { pixels, weights, total, outputs: convolve(pixels, weights) } });
  }
  return lastMap.value;
}

function readState(model) {
  const kernel = PHOTO_KERNELS.includes(model.get("kernel")) ? model.get("kernel") : PHOTO_KERNELS[0];
  const { pixels, weights, total, outputs } = readMap(model.get("pixels"), kernel);
  const [row, column] = rowAndColumn(model, outputs.length - 1);
  const drawn = Math.min(bounded(model, "kernel_on_photo").drawn, outputs.length ** 2);
  return { kernel, pixels, weights, total, outputs, row, column, drawn, taps: tapsAt(pixels, weights, row, column) };
}

function describe({ outputs, row, column }) {
  return `Row ${row + 1}, column ${column + 1} of the map: the nine products add up to ${number(outputs[row][column])}.`;
}

// Sums of weights that cancel have a sign; others are means, drawn as gray.
function levelsOf({ outputs, total }) {
  return total ? grayLevels(outputs, 255 * total) : signedLevels(outputs);
}

export default {
  render({ model, el }) {
    let state = readState(model);
    let [painted, levels, swept] = [null, null, null];
    let timer = null;
    const picture = () => h("image", { width: PHOTO_PIXELS, height: PHOTO_PIXELS, style: "image-rendering: pixelated" });
    const [photo, map] = [picture(), picture()];
    const frame = h("rect", { class: "cnn-frame" });
    const place = mark("kernel", 0, 0, 0);
    const drawings = [drawing(PHOTO_PIXELS, PHOTO_PIXELS, photo, frame), drawing(PHOTO_PIXELS, PHOTO_PIXELS, map, place)];
    const heads = { input: h("p", { class: "cnn-heading" }), output: h("p", { class: "cnn-heading" }), kernel: h("p", { class: "cnn-heading" }, "Under the kernel") };
    const pad = h("div", { class: "cnn-scroll cnn-drag", tabindex: 0, role: "application", "aria-label": "Photograph: the arrow keys move the kernel", keydown: onKey }, drawings[0]);
    const shown = h("div", { class: "cnn-scroll cnn-pad" }, drawings[1]);
    const patch = h("div", { class: "cnn-scroll" });
    const terms = h("p", { class: "cnn-products" });
    const result = h("p", { class: "cnn-result cnn-one-or-two", "aria-live": "polite" });
    const twin = h("div", { class: "cnn-scroll", tabindex: 0, role: "group", "aria-label": "Tables" });
    const kernels = choice("Kernel", PHOTO_KERNELS, (kernel) => assign(model, { kernel }));
    const sweep = button("Sweep", () => (timer ? stop() : start()));
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

    function move(row, column) {
      stop();
      const inside = (index) => whole(index, [0, state.outputs.length - 1]);
      assign(model, { position: [inside(row), inside(column)], drawn: state.outputs.length ** 2 });
    }

    function onKey(event) {
      const by = arrow(event);
      if (by) move(state.row + by[0], state.column + by[1]);
    }

    // The kernel's middle goes to where the pointer is, on the photograph or on the map.
    dragging(pad, (x, y) => move(Math.floor(y * state.pixels.length) - 1, Math.floor(x * state.pixels.length) - 1), holds);
    dragging(shown, (x, y) => move(Math.floor(y * state.outputs.length), Math.floor(x * state.outputs.length)), () => false);

    // A finger holds the kernel where it is nearer to its middle than half of what a finger needs.
    function holds(x, y) {
      const side = state.pixels.length;
      const away = [x - (state.column + 1.5) / side, y - (state.row + 1.5) / side];
      return Math.max(...away.map(Math.abs)) * drawings[0].getBoundingClientRect().width < FINGER_CELL / 2;
    }

    function start() {
      const side = state.outputs.length;
      let tick = 0;
      result.setAttribute("aria-live", "off"); // twenty-five sentences a second are no news
      sweep.textContent = "Stop";
      timer = setInterval(() => {
        tick += 1;
        const drawn = Math.round((side ** 2 * tick) / SWEEP_TICKS);
        assign(model, { drawn, position: [Math.floor((drawn - 1) / side), (drawn - 1) % side] });
        if (tick === SWEEP_TICKS) stop();
      }, TICK);
    }

    function stop() {
      clearInterval(timer);
      timer = null;
      result.setAttribute("aria-live", "polite");
      sweep.textContent = "Sweep";
    }

    function drawMap() {
      if (painted !== state.outputs) {
        photo.setAttribute("href", paint(state.pixels));
        levels = levelsOf(state);
        [painted, swept] = [state.outputs, null];
      }
      if (swept !== state.drawn) map.setAttribute("href", paint(levels, state.total === 0, state.drawn));
      swept = state.drawn;
    }

    function outline(node, { x, y, side }) {
      for (const [name, value] of Object.entries({ x, y, width: side, height: side })) node.setAttribute(name, value);
    }

    function draw() {
      state = readState(model);
      const { pixels, outputs, row, column, drawn, taps } = state;
      const cell = READ_CELL + 12;
      heads.input.textContent = `Photograph ${pixels.length} × ${pixels.length}`;
      const part = drawn < outputs.length ** 2 ? `, ${count(drawn, "sum")} so far` : "";
      heads.output.textContent = `Map ${outputs.length} × ${outputs.length}${part}`;
      kernels.set(state.kernel);
      drawMap();
      const unit = PHOTO_PIXELS / pixels.length;
      outline(frame, { x: column * unit, y: row * unit, side: 3 * unit });
      const small = PHOTO_PIXELS / outputs.length;
      outline(place, { x: (column - 1) * small, y: (row - 1) * small, side: 3 * small });
      const cells = taps.map(({ value, weight }, i) => drawCell({
        x: (i % 3) * cell, y: Math.floor(i / 3) * cell, size: cell, text: number(value), role: "input", tint: 0.3 * value / 255, corner: number(weight),
      }));
      patch.replaceChildren(drawing(3 * cell, 3 * cell, ...cells, h("rect", { class: "cnn-frame", width: 3 * cell, height: 3 * cell })));
      const lines = [0, 3, 6].map((first) => products(taps.slice(first, first + 3)));
      terms.textContent = `${lines.join(" +\n")} = ${number(outputs[row][column])}`;
      result.textContent = describe(state);
      const rows = (read) => [0, 3, 6].map((first) => taps.slice(first, first + 3).map(read));
      twin.replaceChildren(gridTable("Pixels under the kernel", rows((tap) => tap.value)), gridTable("Weights", rows((tap) => tap.weight)));
    }

    const save = () => saveSvg("kernel-on-photo", [drawings[0], drawings[1], patch.firstChild]);
    const panel = (role, ...body) => h("div", { class: `cnn-panel cnn-as-${role}` }, heads[role], ...body);
    el.append(h("div", { class: "cnn-figure", role: "group", "aria-label": "A kernel on a photograph" },
      h("div", { class: "cnn-actions cnn-line-up" }, kernels, still ? null : sweep), result,
      h("div", { class: "cnn-panels cnn-close" }, panel("input", pad), panel("output", shown), panel("kernel", h("div", { class: "cnn-sum" }, patch, terms))),
      h("div", { class: "cnn-actions" }, button("Save SVG", save)), h("details", {}, h("summary", {}, "As tables"), twin)));
    model.on("change", draw);
    draw();
    return () => {
      stop();
      model.off("change", draw);
    };
  },
};
