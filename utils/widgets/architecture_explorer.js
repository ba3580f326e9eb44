// A network block by block: shapes to scale, and areas that are parameters, multiply-accumulates or memory.

const AREAS = ["parameters", "MACs", "memory"];
const ROLES = { input: "input", kernel: "convolution", output: "dense layer", neutral: "pooling and other" };
const TALL = 150; // pixels on the page for the largest map
const DEEP = 260; // and for the areas, the same for all networks

function readState(model) {
  const networks = Array.isArray(model.get("networks")) ? model.get("networks") : [];
  const { name: network, input, blocks: rows = [] } = networks.find(({ name }) => name === model.get("network")) ?? networks[0] ?? {};
  const blocks = rows.map(toBlock);
  const state = { ...bounded(model, "architecture_explorer"), names: networks.map(({ name }) => name), network, input, blocks };
  state.area = AREAS.includes(model.get("area")) ? model.get("area") : AREAS[0];
  state.selected = whole(state.selected, [0, blocks.length - 1]);
  state.totals = Object.fromEntries(AREAS.map((area) => [area, blocks.reduce((sum, block) => sum + block[area], 0)]));
  return state;
}

function toBlock([name, kinds, shape, parameters, MACs, memory, field, layers]) {
  const role = /conv/i.test(kinds) ? "kernel" : MACs ? "output" : "neutral";
  return { name, kinds, shape, parameters, MACs, memory, field, role, layers: layers.map(toBlock) };
}

// ---- text

// Bytes to a tenth of a kB or MB, of a thousand and a million bytes.
function bytes(value) {
  if (value < 1000) return count(value, "byte");
  const [size, unit] = value < 1e6 ? [100, "kB"] : [1e5, "MB"];
  return `${number(Math.floor((value + size / 2) / size) / 10)} ${unit}`;
}

function times(shape) {
  return shape ? shape.join(" × ") || "a number" : "not called";
}

function seen({ shape, field }) {
  return !shape ? "–" : field === null ? "the whole input" : Array.isArray(field) ? times(field) : number(field);
}

function describe({ network, blocks, totals }, { selected }) {
  if (!blocks.length) return "There is no network to show.";
  const { name, kinds, shape, parameters, MACs, memory } = blocks[selected];
  const said = { parameters: count(parameters, "parameter"), MACs: count(MACs, "MAC"), memory: bytes(memory) };
  const shares = AREAS.map((area) => `${said[area]} (${percent(blocks[selected][area], totals[area])})`).join(", ");
  return shape ? `${network}, ${name} (${kinds}) makes ${times(shape)}: ${shares}; receptive field ${seen(blocks[selected])}.`
    : `${network}, ${name} (${kinds}) is never called: ${shares}.`;
}

// The longest text that fits a tile, in lines; a name that is only a number says nothing.
function label({ name, kinds }, share, width, height) {
  const last = name.split(".").at(-1);
  const names = /^\d+$/.test(last) ? [name] : [name, last];
  const texts = [[name, kinds, share], ...names.flatMap((text) => [[text, share], [`${text} ${share}`]]), [share]];
  return texts.find((lines) => height > 18 * lines.length && lines.every((line) => 7.2 * line.length + 8 < width)) ?? [];
}

// ---- drawing

function box(role, x, y, width, height) {
  const rx = role === "output" ? Math.min(8, width / 3, height / 3) : 0;
  return ["cnn-tint", "cnn-border"].map((name) => h("rect", { class: name, x, y, width, height, rx, "fill-opacity": role === "neutral" ? 0 : 0.3 }));
}

// From left to right, every map from the side: as high as its side, as wide as the root of its channels.
function drawShapes({ input, blocks }, width) {
  const shapes = [input, ...blocks.map(({ shape }) => shape ?? [0])];
  const roots = shapes.map(([channels]) => Math.sqrt(channels));
  const sides = shapes.map(([, side = 1]) => side);
  const gap = blocks.length > 40 ? 1 : 3;
  const scale = (width - gap * blocks.length) / roots.reduce((a, b) => a + b);
  const labels = [];
  let [x, free] = [0, -2];
  const columns = shapes.map((shape, i) => {
    const [wide, high] = [scale * roots[i], Math.max(3, TALL * sides[i] / Math.max(...sides))];
    const role = i ? blocks[i - 1].role : "input";
    const node = h("g", { class: `cnn-cell cnn-block cnn-as-${role}` }, h("rect", { class: "cnn-hit", x, y: 0, width: wide + gap, height: TALL }),
      ...box(role, x, (TALL - high) / 2, wide, high));
    const middle = x + wide / 2;
    const half = 2 + 3.5 * String(sides[i]).length;
    const at = Math.max(middle, free + half);
    if (i && shape.length > 1 && (i === 1 || sides[i] !== sides[i - 1]) && at - middle < 10) {
      labels.push(h("text", { class: "cnn-label", x: at, y: TALL + 14 }, sides[i]));
      free = at + half;
    }
    const around = Math.min(TALL, high + 8);
    const column = { node, frame: [x - 2, (TALL - around) / 2, wide + 4, around] };
    x += wide + gap;
    return column;
  });
  return { ...layered(width, TALL + 22, [...columns.map(({ node }) => node), ...labels]), tiles: columns.slice(1) };
}

// Rows of tiles in the order of depth; what has nothing of the quantity has no tile.
function drawAreas({ blocks, area, totals }, width) {
  const shown = blocks.filter((block) => block[area]);
  const boxes = treemap(shown.map((block) => block[area]), width, DEEP);
  const tiles = blocks.map((block) => {
    const frame = block[area] ? boxes[shown.indexOf(block)] : null;
    if (!frame) return { node: null, frame };
    const [x, y, wide, high] = frame;
    const lines = label(block, percent(block[area], totals[area]), wide, high);
    const texts = lines.map((line, i) => h("text", { class: "cnn-value", x: x + wide / 2, y: y + high / 2 + 18 * (i - (lines.length - 1) / 2) }, line));
    return { node: h("g", { class: `cnn-cell cnn-block cnn-as-${block.role}` }, ...box(block.role, x, y, wide, high), ...texts), frame };
  });
  const none = shown.length ? [] : [h("text", { class: "cnn-value", x: width / 2, y: DEEP / 2 }, `No block has ${area}.`)];
  return { ...layered(width, DEEP, [...tiles.map(({ node }) => node), ...none]), tiles };
}

function radios(label, options, change) {
  const name = `radios-${Math.random()}`;
  const inputs = options.map((value) => h("input", { type: "radio", name, value, change: () => change(value) }));
  const node = h("div", { class: "cnn-radios", role: "radiogroup", "aria-label": label }, h("span", {}, label),
    ...inputs.map((input) => h("label", {}, input, h("span", {}, input.value))));
  node.set = (value) => inputs.forEach((input) => { input.checked = input.value === value; });
  return node;
}

export default {
  render({ model, el }) {
    let state = readState(model);
    let peek = null;
    let drawn = null;
    let drawings = [];
    const pad = (name) => h("div", { class: "cnn-blocks", tabindex: 0, role: "application", "aria-label": `${name}: the arrow keys choose a block`, keydown: onKey });
    const pads = [pad("Shapes"), pad("Areas")];
    const heads = pads.map(() => h("p", { class: "cnn-heading" }));
    const result = h("p", { class: "cnn-result cnn-steady", "aria-live": "polite" });
    const details = h("div", { class: "cnn-facts cnn-brief" });
    const inside = h("div", { class: "cnn-scroll", tabindex: 0, role: "group", "aria-label": "Layers of the block" });
    const twin = h("div", { class: "cnn-scroll", tabindex: 0, role: "group", "aria-label": "Table" });
    const network = choice("Network", state.names, pick);
    const areas = radios("Area is", AREAS, (area) => assign(model, { area }));
    const steps = [["← Previous", -1], ["Next →", 1]].map(([text, by]) => button(text, () => move(by)));
    const save = button("Save SVG", () => saveSvg("architecture", drawings.map(({ svg }) => svg)));

    // Another network, and the largest of its blocks.
    function pick(name) {
      model.set("network", name);
      const { blocks, area } = readState(model);
      assign(model, { selected: blocks.reduce((best, block, i) => (block[area] > blocks[best][area] ? i : best), 0) });
    }

    function move(by) {
      assign(model, { selected: whole(state.selected + by, [0, state.blocks.length - 1]) });
    }

    function onKey(event) {
      const by = arrow(event);
      if (by) move(by[0] + by[1]);
    }

    function look(chosen) {
      if (peek?.selected === chosen?.selected) return;
      peek = chosen;
      drawChosen();
    }

    function drawChosen() {
      const { blocks, totals } = state;
      const { selected } = peek ?? state;
      const block = blocks[selected];
      for (const { marks, tiles } of drawings) marks.replaceChildren(...(tiles[selected].frame ? [mark("chosen", ...tiles[selected].frame)] : []));
      result.textContent = describe(state, { selected });
      const shared = (area, role, text) => fact(area, text, [block[area], totals[area]], role);
      details.replaceChildren(fact("output", times(block.shape), null, "output"), shared("parameters", "kernel", number(block.parameters)),
        shared("MACs", "kernel", number(block.MACs)), shared("memory", "output", bytes(block.memory)), fact("receptive field", seen(block), null, "input"));
      inside.hidden = !block.layers.length;
      inside.replaceChildren(blockTable(`Layers of ${block.name}`, block.layers));
    }

    function blockTable(caption, blocks) {
      return table(caption, ["name", "output", "parameters", "MACs", "memory", "field", "kind"], blocks.map((block) => [
        block.name, times(block.shape), number(block.parameters), number(block.MACs), bytes(block.memory), seen(block), block.kinds,
      ]));
    }

    function draw() {
      state = readState(model);
      peek = null;
      result.textContent = describe(state, state);
      figure.classList.toggle("cnn-broken", !state.blocks.length);
      if (!state.blocks.length) return;
      network.set(state.network);
      areas.set(state.area);
      steps.forEach((node, i) => { node.disabled = state.selected === [0, state.blocks.length - 1][i]; });
      const width = Math.max(240, (pads[0].clientWidth || 640) / enlarged() - 4); // the drawing's margin
      const now = [state.network, state.area, width].join();
      if (now !== drawn) drawAll(width);
      drawn = now;
      drawChosen();
    }

    function drawAll(width) {
      const { network: name, area, blocks, totals, input } = state;
      drawings = [drawShapes(state, width), drawAreas(state, width)];
      drawings.forEach(({ svg, tiles }, i) => {
        pads[i].replaceChildren(svg);
        tiles.forEach(({ node }, selected) => {
          node?.addEventListener("click", () => assign(model, { selected }));
          // Not pointerover: that also comes when the page moves under a resting mouse.
          node?.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") look({ selected }); });
        });
      });
      const total = area === "memory" ? bytes(totals.memory) : count(totals[area], area.slice(0, -1));
      heads[0].textContent = `Shapes from ${times(input)} on: height is the side in pixels, width √channels`;
      heads[1].textContent = `Area is ${area}: ${total} in all`;
      twin.replaceChildren(blockTable(`${name} on ${times(input)}`, blocks));
    }

    const legend = Object.entries(ROLES).map(([role, text]) =>
      h("span", { class: `cnn-cell cnn-block cnn-as-${role}` }, drawing(20, 14, ...box(role, 0, 0, 20, 14)), ` ${text}`));
    const figure = h("div", { class: "cnn-figure", role: "group", "aria-label": "Architecture explorer", pointerleave: () => peek && look(null) },
      h("div", { class: "cnn-actions" }, state.names.length > 1 ? network : null, areas), h("div", { class: "cnn-actions" }, ...steps, save),
      h("div", { class: "cnn-stack" }, ...pads.map((node, i) => h("div", { class: "cnn-panel" }, heads[i], node)), h("p", { class: "cnn-legend" }, ...legend)),
      result, details, inside, h("details", {}, h("summary", {}, "As a table"), twin));
    el.append(figure);
    model.on("change", draw);
    draw();
    const resized = new ResizeObserver(draw);
    resized.observe(pads[0]);
    return () => { model.off("change", draw); resized.disconnect(); };
  },
};
