// What a unit deep in a network sees of the image: the receptive field, layer by layer, along one axis.

const ARGUMENTS = ["kernel_size", "stride", "padding", "dilation"];
const MOST_LAYERS = 6;
const PITCH = 60; // from row to row

function readState(model) {
  const bounds = BOUNDS.receptive_field_tower;
  const size = whole(model.get("size"), bounds.size);
  const given = Array.isArray(model.get("layers")) ? model.get("layers") : [];
  const layers = given.slice(0, MOST_LAYERS).map((layer) => Object.fromEntries(ARGUMENTS.map((name) => [name, whole(layer?.[name], bounds[name])])));
  const chain = layers.map((layer) => ARGUMENTS.map((name) => layer[name]));
  // The pixels and every layer, up to the first that breaks a rule.
  const rows = [{ units: size, ...receptiveField([]) }];
  try {
    chain.forEach((layer, i) => rows.push({ units: convOutputSize(rows[i].units, ...layer), ...receptiveField(chain.slice(0, i + 1)) }));
  } catch (error) {
    return { size, layers, rows, error: `layer ${rows.length}: ${error.message}` };
  }
  const row = layers.length && model.get("side") !== "input" ? whole(model.get("layer"), [0, layers.length - 1]) + 1 : 0;
  return { size, layers, chain, rows, row, position: whole(model.get("position"), [0, rows[row].units - 1]) };
}

function pathsOf({ chain, rows }, { row, position }) {
  return countPaths(chain, rows.map(({ units }) => units), row, position);
}

// The pixel from 0 at which a unit's field begins, and the unit's own place: the middle of its field.
function firstPixel({ start, jump }, unit) {
  return start + unit * jump;
}

function centre(row, unit) {
  return firstPixel(row, unit) + (row.size - 1) / 2;
}

function nearest(row, x) {
  return whole(Math.round((x - centre(row, 0)) / row.jump), [0, row.units - 1]);
}

function pixelsOf(row, unit) {
  const first = firstPixel(row, unit);
  const range = row.size === 1 ? number(first + 1) : `${number(first + 1)} … ${number(first + row.size)}`;
  return `${count(row.size, "pixel")}, ${range}`;
}

function describe(state, chosen) {
  if (state.error) return sentence(state.error);
  const { size, layers, rows } = state;
  if (!layers.length) return "No layer yet: every pixel sees only itself.";
  const { row, position } = chosen;
  const reached = pathsOf(state, chosen).map((paths) => paths.filter(Boolean).length);
  if (!row) {
    const seen = reached.slice(1).map((units, i) => `${units} of ${i ? rows[i + 1].units : count(rows[1].units, "unit")} in layer ${i + 1}`);
    return `Pixel ${position + 1} reaches ${seen.join(", ")}.`;
  }
  const { units, size: wide, jump } = rows[row];
  const first = firstPixel(rows[row], position);
  const inside = Math.max(0, Math.min(first + wide, size) - Math.max(first, 0));
  const [outside, missed] = [wide - inside, inside - reached[0]];
  return [
    `Unit ${position + 1} of ${units} in layer ${row} sees ${pixelsOf(rows[row], position)}`,
    ...(outside ? [`${number(outside)} ${outside === 1 ? "lies" : "lie"} outside the image, in the padding`] : []),
    ...(missed ? [`no path reaches ${missed} of ${outside ? "the others" : "them"}`] : []),
    ...(units > 1 ? [`neighbours see fields ${count(jump, "pixel")} apart`] : []),
  ].join("; ") + ".";
}

// The recurrence for the row of what is chosen.
function recurrence({ layers, rows }, { row }) {
  if (!row) return "A pixel sees itself: field 1, jump 1, start 0.";
  const { kernel_size, stride, padding, dilation } = layers[row - 1];
  const [before, after] = [rows[row - 1], rows[row]];
  const jump = number(before.jump);
  return `Layer ${row}: field ${number(before.size)} + ${dilation}·(${kernel_size} − 1)·${jump} = ${number(after.size)}, `
    + `jump ${jump}·${stride} = ${number(after.jump)}, start ${number(before.start)} − ${padding}·${jump} = ${number(after.start)}.`;
}

// What joins the lit units: from a unit of a row to a place in the row below, which may be its padding.
function joints({ chain, rows }, paths, row) {
  return chain.flatMap((layer, i) => paths[i + 1].flatMap((ways, unit) => (ways ? unitReads(layer, unit) : [])
    .filter((below) => paths[i][below] || (row && !(below in paths[i]))).map((below) => ({ above: i + 1, unit, below }))));
}

export default {
  render({ model, el }) {
    let state = readState(model);
    let peek = null;
    let cards = [];
    let width = 0; // of the page's column
    let view = null;
    const heading = h("p", { class: "cnn-heading" }, "Numbers and tint count paths");
    const tower = h("div", {
      class: "cnn-tower", tabindex: 0, role: "application", "aria-label": "Tower: left and right choose a unit, up and down a layer",
      keydown: onKey,
      // A finger may slide along a row, and chooses where it leaves; one that scrolls the page is cancelled.
      pointermove: (event) => look(at(event)), pointerup: (event) => choose(at(event)), pointercancel: () => look(null),
    });
    const result = h("p", { class: "cnn-result cnn-steady", "aria-live": "polite" });
    const formula = h("p", { class: "cnn-formula" });
    const list = h("div", { class: "cnn-chain" });
    const facts = h("div", { class: "cnn-scroll", tabindex: 0, role: "group", "aria-label": "Receptive fields" });
    const twin = h("div", { class: "cnn-scroll", tabindex: 0, role: "group", "aria-label": "Table" });
    const size = slider(model, "receptive_field_tower", "size", "Input size W", "input");
    const add = button("+ Layer", () => {
      const { layers, rows } = state;
      // It keeps the size, so the middle stays the middle.
      const middle = Math.floor(((rows[layers.length]?.units ?? 1) - 1) / 2);
      assign(model, { layers: [...layers, { kernel_size: 3, stride: 1, padding: 1, dilation: 1 }], side: "output", layer: layers.length, position: middle });
      list.lastChild.querySelector("select").focus();
    });
    const steps = [["←", "Previous", -1], ["→", "Next", 1]].map(([sign, label, by]) =>
      button(sign, () => move(0, by), { class: "cnn-button cnn-small", "aria-label": label }));
    const save = button("Save SVG", () => saveSvg("receptive-field", [tower.firstChild]));

    function choose({ row, position }) {
      if (!state.error) assign(model, row ? { side: "output", layer: row - 1, position } : { side: "input", position });
    }

    function move(up, along) {
      const row = whole(state.row + up, [0, state.layers.length]);
      const above = nearest(state.rows[row], centre(state.rows[state.row], state.position));
      choose({ row, position: whole(above + along, [0, state.rows[row].units - 1]) });
    }

    function onKey(event) {
      const by = arrow(event);
      if (by && !state.error) move(-by[0], by[1]);
    }

    // The unit nearest to the pointer, in the row that it is in.
    function at(event) {
      const box = tower.firstChild.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left, event.clientY - box.top].map((length) => length / enlarged());
      const row = whole(state.layers.length - Math.floor(y / PITCH), [0, state.layers.length]);
      return { row, position: nearest(state.rows[row], (x - view.gutter) / view.unit + view.left - 0.5) };
    }

    function look(chosen) {
      if (peek?.row === chosen?.row && peek?.position === chosen?.position) return;
      peek = chosen;
      drawTower();
    }

    // ---- layers

    function setLayers(layers) {
      assign(model, { layers });
    }

    function remove(index) {
      setLayers(state.layers.filter((_, i) => i !== index));
      (cards[Math.min(index, cards.length - 1)]?.close ?? add).focus();
    }

    function card(index) {
      const fields = ARGUMENTS.map((name) => {
        const [least, most] = BOUNDS.receptive_field_tower[name];
        const options = Array.from({ length: most - least + 1 }, (_, i) => least + i);
        return choice(name.replace("_size", ""), options, (value) => {
          setLayers(state.layers.map((layer, i) => (i === index ? { ...layer, [name]: +value } : layer)));
        });
      });
      const close = button("×", () => remove(index), { class: "cnn-button cnn-small", "aria-label": `Remove layer ${index + 1}` });
      const node = h("div", { class: "cnn-link", role: "group", "aria-label": `Layer ${index + 1}` },
        h("span", { class: "cnn-heading cnn-as-output" }, `${index + 1}`), ...fields, close);
      return { node, close, set: (layer) => ARGUMENTS.forEach((name, i) => fields[i].set(layer[name])) };
    }

    // ---- tower

    function drawTower() {
      const chosen = peek ?? state;
      result.textContent = describe(state, chosen);
      formula.textContent = state.error ? "" : recurrence(state, chosen);
      if (state.error || !width) return;
      const { rows, size: pixels } = state;
      const { row, position } = chosen;
      const paths = pathsOf(state, chosen);
      const roomy = width > 500;
      const margin = roomy ? 6 : 2; // pixels outside the image that are drawn at most
      const left = Math.max(-margin, Math.min(...rows.map(({ start }) => start)));
      const right = Math.min(pixels + margin, Math.max(...rows.map((each) => firstPixel(each, each.units - 1) + each.size)));
      const gutter = roomy ? 84 : 24;
      const unit = Math.min(40, (width - gutter - 4) / (right - left));
      view = { left, gutter, unit };
      const x = (place) => gutter + (place - left + 0.5) * unit;
      const y = (r) => (rows.length - r - 0.5) * PITCH;
      const [wide, high] = [x(right - 0.5), rows.length * PITCH];
      const isDrawn = (place) => left <= place && place <= right - 1;
      const first = firstPixel(rows[row], position);
      const inField = (pixel) => row && first <= pixel && pixel < first + rows[row].size;

      // The smallest units take the gap that larger ones leave between them.
      const cell = (r, place, options) => {
        const side = options.role === "output" && unit < 16 ? unit + 2 : unit;
        return drawCell({ x: x(place) - side / 2, y: y(r) - side / 2, size: side, ...options });
      };
      const cells = rows.flatMap((each, r) => {
        const most = Math.max(1, ...paths[r]);
        const digits = number(most).length;
        return paths[r].map((ways, i) => {
          const place = centre(each, i);
          if (!isDrawn(place)) return null;
          const node = cell(r, place, {
            role: r ? "output" : "input", text: ways && unit > Math.max(15, 7 * digits) ? number(ways) : "",
            tint: ways ? 0.08 + 0.27 * ways / most : 0, strong: r === row && i === position, unread: !r && !ways && inField(i),
          });
          node.classList.toggle("cnn-long", unit < 9 * digits + 9);
          node.classList.toggle("cnn-lit", ways > 0);
          return node;
        });
      });
      const joined = joints(state, paths, row).map(({ above, unit: i, below }) => ({
        above, below, from: centre(rows[above], i), to: centre(rows[above - 1], below),
      })).filter(({ from, to }) => isDrawn(from) && isDrawn(to));
      // Padding: what the field holds of it at the pixels, and what is read of it further up.
      const around = new Map(joined.filter(({ above, below }) => above > 1 && !(below in paths[above - 1])).map(({ above, to }) => [`${above},${to}`, [above - 1, to]]));
      for (let pixel = left; pixel < right; pixel++) if (inField(pixel) && !(pixel in paths[0])) around.set(pixel, [0, pixel]);
      const padding = [...around.values()].map(([r, place]) => cell(r, place, { role: "padding", text: unit > 15 ? 0 : "" }));

      const label = (r, dy, text) => h("text", { class: `cnn-label${r === row ? " cnn-chosen" : ""}`, x: gutter / 2 - 4, y: y(r) + dy }, text);
      const labels = (r, { size: field }) => (roomy && r ? [label(r, -8, `layer ${r}`), label(r, 8, `field ${number(field)}`)] : [label(r, 0, r || (roomy ? "pixels" : "px"))]);
      const bands = rows.map((each, r) => h("g", {},
        h("rect", { class: "cnn-band", x: gutter - 4, y: y(r) - unit / 2 - 3, width: wide - gutter + 4, height: unit + 6, rx: 6 }), ...labels(r, each)));
      const lines = joined.map(({ above, from, to }) => `M${x(from)},${y(above) + unit / 2}L${x(to)},${y(above - 1) - unit / 2}`);
      const links = h("path", { class: "cnn-joint", d: lines.join("") });
      tower.replaceChildren(drawing(wide, high + 20, ...bands, links, ...[...cells, ...padding].filter(Boolean), ...(row ? bracket() : [])));

      // Under the field, open where it goes on outside the drawing.
      function bracket() {
        const edges = [first, first + rows[row].size];
        const [from, to] = edges.map((edge) => x(whole(edge, [left, right]) - 0.5));
        const [opens, closes] = edges.map((edge) => edge >= left && edge <= right);
        const base = y(0) + unit / 2 + 12;
        const d = `M${from},${base}${opens ? "v-6v6" : ""}H${to}${closes ? "v-6" : ""}`;
        const text = pixelsOf(rows[row], position);
        const half = 4 * text.length;
        return [h("path", { class: "cnn-bracket", d }),
          h("text", { class: "cnn-value cnn-chosen", x: Math.min(Math.max((from + to) / 2, half), wide - half), y: base + 14 }, text)];
      }
    }

    function drawTables() {
      const { layers, rows, error } = state;
      const lines = [{}, ...layers].map((layer, r) => [r || "pixels", layer.kernel_size ?? "–",
        ...["units", "size", "jump", "start"].map((name) => (rows[r] ? number(rows[r][name]) : "–"))]);
      facts.replaceChildren(table("Receptive fields (pixels from 0)", ["layer", "kernel", "units", "field", "jump", "start"], lines));
      const list = (paths) => paths.map((ways, i) => (ways ? `${i + 1}: ${number(ways)}` : "")).filter(Boolean).join(", ");
      twin.replaceChildren(...(error ? [] : [table("Paths by which each is reached", ["row", "unit: paths"],
        pathsOf(state, state).map((paths, r) => [r ? `layer ${r}` : "pixels", list(paths) || "none"]))]));
    }

    function draw() {
      state = readState(model);
      peek = null;
      size.set(state.size);
      if (cards.length !== state.layers.length || !list.firstChild) {
        cards = state.layers.map((_, i) => card(i));
        list.replaceChildren(size, ...cards.map(({ node }) => node));
      }
      cards.forEach(({ set }, i) => set(state.layers[i]));
      figure.classList.toggle("cnn-broken", Boolean(state.error));
      add.disabled = state.layers.length === MOST_LAYERS;
      for (const action of [...steps, save]) action.disabled = Boolean(state.error);
      drawTables();
      drawTower();
    }

    const figure = h("div", { class: "cnn-figure", role: "group", "aria-label": "Receptive field tower", pointerleave: () => look(null) },
      // The controls come first: what they change in size must not push them away.
      list, h("div", { class: "cnn-actions" }, add, ...steps, save), result, formula,
      h("div", { class: "cnn-panels" }, h("div", { class: "cnn-panel cnn-wide cnn-as-output" }, heading, tower)),
      facts, h("details", {}, h("summary", {}, "As a table"), twin));
    el.append(figure);
    model.on("change", draw);
    draw();
    // The heading is as wide as the column, and the drawing does not change its size.
    const observer = new ResizeObserver(([{ contentRect }]) => {
      width = contentRect.width / enlarged();
      drawTower();
    });
    observer.observe(heading);
    return () => {
      observer.disconnect();
      model.off("change", draw);
    };
  },
};
