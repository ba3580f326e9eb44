// What each layer makes and costs: shape, parameters, multiply-accumulates, memory, and the dense layer in its place.

const TITLES = { conv: "Convolution", maxpool: "Max pooling", flatten: "Flatten", linear: "Dense layer" };
const MOST_LAYERS = 12;

function readState(model) {
  const bounds = BOUNDS.layer_ledger;
  const given = Array.isArray(model.get("input")) ? model.get("input") : [];
  const input = ["channels", "height", "width"].map((name, axis) => whole(given[axis], bounds[name]));
  const layers = (Array.isArray(model.get("layers")) ? model.get("layers") : [])
    .filter((layer) => Object.hasOwn(LAYER_FIELDS, layer?.kind ?? "")).slice(0, MOST_LAYERS)
    .map((layer) => ({
      kind: layer.kind,
      ...Object.fromEntries(Object.entries(LAYER_FIELDS[layer.kind]).map(([name, usual]) => [name, whole(layer[name], bounds[name], usual)])),
    }));
  return { input, layers, rows: ledgerRows(input, layers) };
}

function total(rows, name) {
  return rows.reduce((sum, row) => sum + (row?.[name] ?? 0), 0);
}

function totalDense(rows) {
  return rows.reduce((sum, row) => sum + (row?.dense_parameters ?? 0n), 0n);
}

function describe({ layers, rows }) {
  const broken = rows.findIndex((row) => row?.error);
  if (broken >= 0) return sentence(`layer ${broken + 1}: ${rows[broken].error}`);
  if (!rows.length) return "No layer yet: the input goes through as it is.";
  const values = total(rows, "activations");
  const convolutions = layers.filter(({ kind }) => kind === "conv").length;
  const dense = !convolutions ? "" : `; ${convolutions === 1 ? "a dense layer" : "dense layers"} in place of the `
    + `${convolutions === 1 ? "convolution" : "convolutions"} would have ${number(totalDense(rows))} parameters`;
  return `In all ${count(total(rows, "parameters"), "parameter")}, ${count(total(rows, "macs"), "MAC")} and `
    + `${count(values, "activation")} (${number(4 * values)} bytes)${dense}.`;
}

function torchCode({ input, layers, rows }) {
  const named = (layer, usual) => Object.entries(usual)
    .filter(([name, value]) => layer[name] !== value).map(([name]) => `, ${name}=${layer[name]}`).join("");
  const lines = [];
  let shape = input;
  for (const [i, layer] of layers.entries()) {
    const row = rows[i];
    if (!row || row.error) {
      lines.push(`# layer ${i + 1}: ${row?.error ?? "no input"}`);
      break;
    }
    lines.push({
      conv: () => `nn.Conv2d(${shape[0]}, ${layer.out_channels}, ${layer.kernel_size}${named(layer, { stride: 1, padding: 0, dilation: 1, groups: 1 })}),`,
      maxpool: () => `nn.MaxPool2d(${layer.kernel_size}${named(layer, { stride: layer.kernel_size })}),`,
      flatten: () => "nn.Flatten(),",
      linear: () => `nn.Linear(${shape[0]}, ${layer.out_features}),`,
    }[layer.kind]());
    shape = row.output_shape;
  }
  return ["from torch import nn", "", "net = nn.Sequential(", ...lines.map((line) => `    ${line}`), ")"].join("\n");
}

// "13", "4.2": how many times as many.
function times(dense, parameters) {
  const ratio = Number(dense) / parameters;
  return ratio < 10 ? ratio.toFixed(1) : number(Math.round(ratio));
}

export default {
  render({ model, el }) {
    let state = readState(model);
    let cards = [];
    const list = h("ol", { class: "cnn-layers" });
    const totals = h("p", { class: "cnn-result", "aria-live": "polite" });
    const code = h("pre", { class: "cnn-code", tabindex: 0, role: "group", "aria-label": "The same network in torch" });
    const twin = h("div", { class: "cnn-scroll", tabindex: 0, role: "group", "aria-label": "Table" });
    const inputFields = ["channels", "height", "width"].map((name, axis) => field(name, name, `Input ${name}`, (value) => {
      assign(model, { input: state.input.map((old, i) => (i === axis ? value : old)) });
    }));
    const adders = Object.entries(TITLES).map(([kind, title]) => button(`+ ${title}`, () => {
      const last = state.layers.length;
      setLayers([...state.layers, { kind, ...LAYER_FIELDS[kind] }]);
      (cards[last].fields[0]?.control ?? cards[last].buttons.at(-1)).focus();
    }));
    const copy = button("Copy code", copyCode);

    // A number field. It writes while you type, and shows the value that was taken once you leave it.
    function field(name, label, spoken, write) {
      const [min, max] = BOUNDS.layer_ledger[name];
      const control = h("input", {
        type: "number", min, max, step: 1, inputmode: "numeric", "aria-label": spoken,
        input: () => { if (control.value !== "" && Number.isInteger(+control.value)) write(whole(+control.value, [min, max])); },
        change: draw,
      });
      return { name, control, node: h("label", { class: "cnn-field" }, h("span", { "aria-hidden": "true" }, label), control) };
    }

    function setLayers(layers) {
      assign(model, { layers });
    }

    function move(index, by) {
      const layers = [...state.layers];
      layers.splice(index + by, 0, ...layers.splice(index, 1));
      setLayers(layers);
      const [up, down] = cards[index + by].buttons;
      const again = by < 0 ? [up, down] : [down, up];
      again.find((node) => !node.disabled)?.focus();
    }

    function remove(index) {
      setLayers(state.layers.filter((_, i) => i !== index));
      (cards[Math.min(index, cards.length - 1)]?.buttons.at(-1) ?? adders[0]).focus();
    }

    function card({ kind }, index, { length }) {
      const title = `${index + 1} · ${TITLES[kind]}`;
      const fields = Object.keys(LAYER_FIELDS[kind]).map((name) => field(name, name.replace("kernel_size", "kernel").replace("_", " "),
        `Layer ${index + 1} ${name.replace("_", " ")}`, (value) => {
          setLayers(state.layers.map((layer, i) => (i === index ? { ...layer, [name]: value } : layer)));
        }));
      const small = (sign, label, click, disabled) => button(sign, click, { class: "cnn-button cnn-small", "aria-label": `${label} layer ${index + 1}`, disabled });
      const buttons = [
        ...(length === 1 ? [] : [
          small("↑", "Move up", () => move(index, -1), index === 0), small("↓", "Move down", () => move(index, 1), index === length - 1),
        ]),
        small("×", "Remove", () => remove(index), false),
      ];
      const facts = h("div", { class: "cnn-facts" });
      const node = h("li", { class: "cnn-layer" },
        h("div", { class: "cnn-layer-head" }, h("span", { class: "cnn-heading" }, title), h("span", { class: "cnn-moves" }, ...buttons)),
        fields.length ? h("div", { class: "cnn-fields" }, ...fields.map((entry) => entry.node)) : null, facts);
      return { node, fields, buttons, facts };
    }

    function facts(row) {
      if (!row) return [fact("output", "–", null, "output"), fact("parameters", "–", null, "kernel"), fact("MACs", "–", null, "kernel"), fact("activations", "–", null, "output")];
      if (row.error) return [h("p", { class: "cnn-error" }, `⚠ ${sentence(row.error)}`)];
      const share = (name) => [row[name], total(state.rows, name)];
      const dense = row.dense_parameters === null ? null : h("p", { class: "cnn-dense" },
        `A dense layer in its place: ${number(row.dense_parameters)} parameters, ${times(row.dense_parameters, row.parameters)} times as many.`);
      return [
        fact("output", row.output_shape.map(number).join(" × "), null, "output"), fact("parameters", number(row.parameters), share("parameters"), "kernel"),
        fact("MACs", number(row.macs), share("macs"), "kernel"), fact("activations", number(row.activations), share("activations"), "output", `${number(4 * row.activations)} bytes`),
        ...(dense ? [dense] : []),
      ];
    }

    async function copyCode() {
      try {
        await navigator.clipboard.writeText(code.textContent);
        copy.textContent = "Copied";
      } catch {
        // A page opened from disk may not write to the clipboard.
        getSelection().selectAllChildren(code);
        copy.textContent = "Selected: press Ctrl+C";
      }
      setTimeout(() => { copy.textContent = "Copy code"; }, 2500);
    }

    function draw() {
      const before = cards.map(({ kind }) => kind).join();
      state = readState(model);
      const { input, layers, rows } = state;
      if (before !== layers.map(({ kind }) => kind).join()) {
        cards = layers.map((layer, i) => ({ kind: layer.kind, ...card(layer, i, layers) }));
        list.replaceChildren(...cards.map(({ node }) => node));
      }
      const show = ({ control }, value) => { if (control !== document.activeElement || +control.value === value) control.value = value; };
      inputFields.forEach((entry, axis) => show(entry, input[axis]));
      cards.forEach(({ fields, facts: place }, i) => {
        fields.forEach((entry) => show(entry, layers[i][entry.name]));
        place.replaceChildren(...facts(rows[i]));
      });
      adders.forEach((node) => { node.disabled = layers.length === MOST_LAYERS; });
      totals.textContent = describe(state);
      code.textContent = torchCode(state);
      const cells = rows.map((row, i) => [`${i + 1} ${TITLES[layers[i].kind]}`, ...(!row || row.error ? [row?.error ?? "–", "–", "–", "–", "–"] : [
        row.output_shape.join(" × "), number(row.parameters), number(row.macs), number(row.activations), row.dense_parameters === null ? "–" : number(row.dense_parameters),
      ])]);
      cells.push(["Total", "", ...["parameters", "macs", "activations"].map((name) => number(total(rows, name))), number(totalDense(rows))]);
      twin.replaceChildren(table(`Layers on ${input.join(" × ")}`, ["layer", "output", "parameters", "MACs", "activations", "dense in its place"], cells));
    }

    el.append(h("div", { class: "cnn-figure", role: "group", "aria-label": "Layer ledger" },
      h("div", { class: "cnn-layer" }, h("div", { class: "cnn-layer-head" }, h("span", { class: "cnn-heading cnn-as-input" }, "Input")),
        h("div", { class: "cnn-fields" }, ...inputFields.map(({ node }) => node))),
      list, h("div", { class: "cnn-actions" }, ...adders), totals, code, h("div", { class: "cnn-actions" }, copy),
      h("details", {}, h("summary", {}, "As a table"), twin)));
    model.on("change", draw);
    draw();
    return () => model.off("change", draw);
  },
};
