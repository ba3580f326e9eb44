// What figures are made of: numbers and sentences as text, controls, cells, drawings, tables, and a drawing saved as SVG.

// ---- text

function number(value) {
  return value.toLocaleString("en-US").replace("-", "−");
}

function count(value, noun) {
  return `${number(value)} ${noun}${value === 1 || value === 1n ? "" : "s"}`;
}

function sentence(text) {
  return text[0].toUpperCase() + text.slice(1) + ".";
}

function products(taps) {
  return taps.map((tap) => `${number(tap.weight)}·${number(tap.value ?? 0)}`).join(" + ");
}

// A number that is not whole, to two decimals. Every mean of at most 4 × 4 numbers is a multiple of a 144th, so it is
// rounded there first, and then half up: Python prints the same.
function decimal(value) {
  const hundredths = Math.floor((25 * Math.round(144 * Math.abs(value)) + 18) / 36);
  return number(Math.sign(value) * hundredths / 100 || 0);
}

function percent(part, whole) {
  const rounded = whole ? Math.floor((200 * part + whole) / (2 * whole)) : 0;
  return part && !rounded ? "< 1 %" : `${rounded} %`;
}

// A probability: to a whole number, and never 0 or 100.
function percentage(share) {
  const rounded = Math.floor(100 * share + 0.5);
  return !rounded ? "< 1 %" : rounded === 100 ? "> 99 %" : `${rounded} %`;
}

// ---- DOM

function h(tag, attributes = {}, ...children) {
  const drawn = ["svg", "g", "rect", "path", "text", "title", "image"].includes(tag);
  const node = document.createElementNS(`http://www.w3.org/${drawn ? "2000/svg" : "1999/xhtml"}`, tag);
  // JupyterLab's command mode would eat the arrow keys, and letters would insert cells.
  if (["input", "select", "button", "summary"].includes(tag) || "tabindex" in attributes) node.dataset.lmSuppressShortcuts = "true";
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value === true ? "" : value);
  }
  if (attributes.type === "number") node.addEventListener("keydown", commit);
  node.append(...children.filter((child) => child !== null));
  return node;
}

// Enter means "take this number", also in a notebook, where the browser does not say so by itself.
function commit(event) {
  if (event.key !== "Enter") return;
  event.preventDefault();
  event.target.dispatchEvent(new Event("change"));
}

function button(label, click, attributes = {}) {
  return h("button", { type: "button", class: "cnn-button", click, ...attributes }, label);
}

// Where a slider stands, for eyes: a screen reader says the value itself, and would hear it twice with the name.
function at() {
  return h("span", { class: "cnn-at", "aria-hidden": "true" }); // not an <output>: the label would belong to it
}

// A slider that writes the trait `name` and has set(value) to follow it.
function slider(model, figure, name, label, role) {
  const [min, max] = BOUNDS[figure][name];
  const shown = at();
  const input = h("input", { type: "range", min, max, step: 1, input: () => assign(model, { [name]: +input.value }) });
  const node = h("label", { class: `cnn-slider cnn-as-${role}` }, h("span", {}, label, " ", shown), input);
  node.set = (value) => { input.value = value; shown.textContent = value; };
  return node;
}

function choice(label, options, change) {
  const select = h("select", { change: () => change(select.value) }, ...options.map((name) => h("option", { value: name }, name)));
  const node = h("label", { class: "cnn-choice" }, h("span", {}, label), select);
  node.set = (value) => { select.value = value; };
  return node;
}

function checkbox(label, change) {
  const input = h("input", { type: "checkbox", change: () => change(input.checked) });
  const node = h("label", { class: "cnn-check" }, input, h("span", {}, label));
  node.set = (value) => { input.checked = value; };
  return node;
}

// Cells to point at are bigger for a finger than for a mouse; those to read are smaller on a telephone.
function cellSize(fine) {
  return matchMedia("(pointer: coarse)").matches ? FINGER_CELL : fine;
}

function readCellSize() {
  return matchMedia("(max-width: 500px)").matches ? TELEPHONE_CELL : READ_CELL;
}

// One cell of a grid. corner: the weight that lies on it; low: with room for one.
function drawCell({ x, y, size, width = size, role, text, tint = 0, corner = null, low = corner !== null, unread = false, strong = false }) {
  const inset = role === "output" ? 2 : 0;
  const box = { x: x + inset, y: y + inset, width: width - 2 * inset, height: size - 2 * inset, rx: role === "output" ? 8 : 0 };
  const half = size / 2;
  // Padding is hatched; pixels that are never read are crossed out.
  const hatch = unread
    ? `M${x},${y}l${size},${size}M${x + size},${y}l${-size},${size}`
    : `M${x},${y + half}l${half},${-half}M${x},${y + size}l${size},${-size}M${x + half},${y + size}l${half},${-half}`;
  return h("g", { class: `cnn-cell cnn-as-${role}${strong ? " cnn-strong" : ""}${unread ? " cnn-unread" : ""}` },
    inset ? h("rect", { x, y, width, height: size, class: "cnn-hit" }) : null,
    h("rect", { ...box, class: "cnn-tint", "fill-opacity": role === "padding" ? 0 : tint }),
    role === "padding" || unread ? h("path", { class: "cnn-hatch", d: hatch }) : null,
    h("rect", { ...box, class: "cnn-border" }),
    corner === null ? null : h("text", { class: "cnn-corner", x: x + width - 4, y: y + 10 }, corner),
    h("text", { class: "cnn-value", x: x + width / 2 - (corner !== null && String(text).length < 3 ? 4 : 0), y: y + size * (low ? 0.68 : 0.5) }, text));
}

// How many of the page's pixels a unit of a drawing is: more than one for a reader who has set larger letters.
function enlarged() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
}

function drawing(width, height, ...children) {
  // Two pixels of margin: frames are drawn on the outer edge.
  const view = `-2 -2 ${width + 4} ${height + 4}`;
  return h("svg", { viewBox: view, width: (width + 4) * enlarged(), height: (height + 4) * enlarged(), "aria-hidden": "true" }, ...children);
}

// A drawing with a layer for what is chosen, so that hovering repaints frames and never the cells under the pointer.
function layered(width, height, cells) {
  const marks = h("g", { class: "cnn-marks" });
  return { marks, svg: drawing(width, height, ...cells, marks) };
}

function mark(role, x, y, width, height = width, rounded = false) {
  return h("rect", { class: `cnn-mark cnn-as-${role}`, x, y, width, height, rx: rounded ? 8 : 0 });
}

// Dragging over a drawing: `move` gets the pointer's place, x and y from 0 to 1. A mouse drags from anywhere. A finger
// drags only where `grips` says that it holds something, or else it could not scroll the page; a tap is a click. With
// `begin`, what is dragged begins where the pointer comes down, and a click adds nothing; `move` gets as well through which
// places the pointer came since the last frame.
function dragging(box, move, grips, begin = null) {
  const place = ({ clientX, clientY }) => {
    const { left, top, width, height } = box.querySelector("svg").getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  };
  let drags = false;
  box.addEventListener("touchstart", (event) => { if (grips(...place(event.touches[0]))) event.preventDefault(); }, { passive: false });
  box.addEventListener("pointerdown", (event) => {
    drags = event.pointerType === "mouse" ? event.button === 0 : grips(...place(event));
    if (drags) box.setPointerCapture(event.pointerId);
    if (drags) begin?.(...place(event));
  });
  box.addEventListener("pointermove", (event) => { if (drags) move(...place(event), (begin && event.getCoalescedEvents?.() || []).map(place)); });
  for (const end of ["pointerup", "pointercancel"]) box.addEventListener(end, () => { drags = false; });
  if (!begin) box.addEventListener("click", (event) => move(...place(event)));
}

// How an arrow key moves in a grid, as [rows, columns]; null for any other key.
function arrow(event) {
  const by = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key] ?? null;
  if (by) event.preventDefault();
  return by;
}

function table(caption, header, rows) {
  const cells = (tag, row) => h("tr", {}, ...row.map((cell, i) => h(i ? tag : "th", { scope: tag === "th" ? "col" : i ? null : "row" }, cell)));
  return h("table", {}, h("caption", {}, caption), h("thead", {}, cells("th", header)), h("tbody", {}, ...rows.map((row) => cells("td", row))));
}

function gridTable(caption, values, print = number) {
  return table(caption, ["row", ...values[0].map((_, i) => `column ${i + 1}`)], values.map((row, i) => [i + 1, ...row.map(print)]));
}

// A number under its label; of: [part, whole] if it has a share.
function fact(label, value, of, role, unit = "") {
  const bar = of && h("span", { class: "cnn-bar", style: `--cnn-share: ${100 * of[0] / Math.max(1, of[1])}%` });
  return h("div", { class: `cnn-fact cnn-as-${role}` }, h("span", {}, label, of ? ` · ${percent(...of)}` : ""), h("strong", {}, value, unit && h("small", {}, ` ${unit}`)), bar);
}

// The drawings side by side as one file, in the colours they have on the page right now.
function saveSvg(name, drawings) {
  const looks = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "font-family", "font-size", "font-style", "font-weight", "text-anchor", "dominant-baseline"];
  let page = drawings[0];
  while (page && getComputedStyle(page).backgroundColor === "rgba(0, 0, 0, 0)") page = page.parentElement;
  let width = 12;
  const copies = drawings.map((source) => {
    const copy = source.cloneNode(true);
    const originals = source.querySelectorAll("*");
    copy.querySelectorAll("*").forEach((node, i) => looks.forEach((look) => node.style.setProperty(look, getComputedStyle(originals[i])[look])));
    copy.setAttribute("x", width);
    copy.setAttribute("y", 12);
    width += source.width.baseVal.value + 24;
    return copy;
  });
  const height = 24 + Math.max(...drawings.map((source) => source.height.baseVal.value));
  const card = h("rect", { width: "100%", height: "100%", fill: page ? getComputedStyle(page).backgroundColor : "#fff" });
  const file = h("svg", { width: width - 12, height, viewBox: `0 0 ${width - 12} ${height}` }, card, ...copies);
  const url = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(file)], { type: "image/svg+xml" }));
  h("a", { href: url, download: `${name}.svg` }).click();
  URL.revokeObjectURL(url);
}
