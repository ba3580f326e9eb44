// Buttons under the cells that run in a page, and the answers that this browser keeps. All the rest is loaded when one
// of them is pressed.

const about = JSON.parse(document.getElementById("live").textContent);
const folder = new URL(about.folder, location.href).href;
const place = `live:${location.pathname}`;
const FROM_DISK = "From disk a page runs no Python. Type make serve in a clone of the book, or python -m "
  + "http.server in the site’s folder, and open its address.";

function make(tag, properties = {}, ...children) {
  const el = Object.assign(document.createElement(tag), properties);
  el.append(...children);
  return el;
}

// Where a browser keeps nothing, a page works without.
function readKept() {
  try {
    return JSON.parse(localStorage.getItem(place)) ?? {};
  } catch {
    return {};
  }
}

function keep(cell, source) {
  const kept = readKept(); // another tab may have written since
  if (cell.check) {
    delete kept[cell.check.id]; // what was said of an answer is not said of another
    cell.check.say("");
  }
  if (source === cell.given) delete kept[cell.id];
  else kept[cell.id] = source;
  try {
    if (Object.keys(kept).length) localStorage.setItem(place, JSON.stringify(kept));
    else localStorage.removeItem(place);
  } catch { /* full, or forbidden */ }
}

let session, tries = 0;

async function load(script, says) {
  if (location.protocol === "file:") return says(FROM_DISK);
  try {
    return await import(`${folder}${script}?v=${about.version}${tries ? `&try=${tries}` : ""}`);
  } catch (error) {
    tries += 1; // a browser does not ask twice for the same module
    return says(`This did not load: ${error.message}. Are you offline? Press again to retry.`);
  }
}

async function press(cell) {
  if (session) return session.press(cell);
  const module = await load("session.mjs", cell.say);
  if (!module) return;
  session ??= module.start({ about, folder, exercises, cells, keep, make });
  return cell.kind === "answer" ? session.write(cell) : session.press(cell);
}

function needing(cell) {
  const ways = [];
  if (about.colab) ways.push(make("a", { href: about.colab, textContent: "run it in Colab" }));
  if (about.notebook) ways.push(make("a", { href: about.notebook, download: "", textContent: "download it" }));
  const what = `It does not run in a page${ways.length ? ": " : "."}`;
  const text = make("p", {}, what, ...ways.flatMap((way, index) => (index ? [", or ", way] : [way])), ways.length ? "." : "");
  cell.input.after(make("details", { className: "live-needs" }, make("summary", { textContent: `Needs ${cell.kind}` }), text));
}

function bar(cell, number) {
  const verb = { check: "Check", answer: "Write your answer" }[cell.kind] ?? "Run";
  cell.name = `cell ${number}`;
  cell.go = make("button", { type: "button", className: "live-go", textContent: verb, ariaLabel: `${verb}, ${cell.name}` });
  cell.go.addEventListener("click", () => press(cell));
  cell.status = make("span", { className: "live-status", role: "status" });
  cell.say = (text) => { cell.status.textContent = text; };
  cell.bar = make("div", { className: "live-bar" }, cell.go, cell.status, make("span", { className: "live-name", textContent: cell.name }));
  cell.input.after(cell.bar);
}

const boxes = document.querySelectorAll("article div.cell");
const cells = about.cells.split(",").map((cell, index) => {
  const [kind, id] = cell.split(" ");
  const box = boxes[index], input = box.querySelector(".cell_input"), pre = input.querySelector("pre");
  return { id, kind, box, input, pre, given: pre.textContent.replace(/\n$/, "") };
});
const kept = readKept();
const exercises = cells.some((cell) => cell.kind === "answer");
cells.forEach((cell, index) => { if (cell.kind === "answer") cell.check = cells.slice(index).find((each) => each.kind === "check"); });
let number = 0;
for (const cell of cells) {
  if (["solution", "figure"].includes(cell.kind)) continue;
  number += 1;
  if (!["run", "answer", "check"].includes(cell.kind)) needing(cell);
  else {
    bar(cell, number);
    if (typeof kept[cell.id] !== "string" || kept[cell.id].length > 1e5) continue;
    if (cell.kind === "check") cell.say("✓ when you last checked it.");
    else {
      cell.kept = kept[cell.id];
      cell.pre.textContent = cell.kept;
      cell.say(`Yours, kept here.${cell.box.querySelector(".cell_output") ? " Below stands the book’s own result." : ""}`);
    }
  }
}

// An exercise's answers can leave the page as a notebook, and come back from one.
if (exercises) {
  const line = document.querySelector(".live-notebook");
  const say = (words) => { line.lastChild.textContent = words; };
  // What each of them does comes when it is pressed.
  const source = (cell) => cell.source?.() ?? cell.kept ?? cell.given;
  const put = (cell, text) => {
    if (cell.change) cell.change(text);
    else {
      cell.kept = cell.pre.textContent = text;
      keep(cell, text);
    }
  };
  const page = { about, cells, source, put, say };
  for (const button of line.querySelectorAll("button")) {
    button.addEventListener("click", async () => (await load("notebook.mjs", say))?.[button.value]({ ...page, session }));
  }
  if (location.protocol === "file:") document.querySelector(".live-how").textContent = FROM_DISK;
}
