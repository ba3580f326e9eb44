// A learner's answers as a notebook: the course's copy with them in it, and back from one.

const LARGEST = 5e6;
const REPLACE = "Put the answers of a notebook in place of yours?";
export const FORGET = "Put every cell of this page back as it was, and forget your answers on it?";

const solution = (cell) => cell.cell_type === "code" && cell.metadata?.nbgrader?.solution === true;
const text = (source) => (Array.isArray(source) ? source.join("") : source);

// An answer's place: its cell, or by name what is to be answered there, for a notebook that lost its ids.
function places(cells) {
  return cells.filter((cell) => cell.kind === "answer").map((cell) => {
    return { cell, name: cell.check?.given.match(/\.(\w+)\.check\(/)?.[1] };
  });
}

function find(notebook, { cell, name }) {
  const solutions = notebook.cells.filter(solution);
  return solutions.find((each) => each.metadata.nbgrader.grade_id === name) ?? solutions.find((each) => each.id === cell.id);
}

export async function save({ about, cells, source, say }) {
  const address = about.notebook;
  let notebook;
  try {
    notebook = await (await fetch(address)).json();
  } catch {
    return say("The notebook did not load. Are you offline?");
  }
  let count = 0;
  for (const place of places(cells)) {
    const answer = source(place.cell), target = find(notebook, place);
    if (!target || answer === place.cell.given) continue;
    target.source = answer.split(/(?<=\n)/);
    count += 1;
  }
  const url = URL.createObjectURL(new Blob([`${JSON.stringify(notebook, null, 1)}\n`], { type: "application/x-ipynb+json" }));
  Object.assign(document.createElement("a"), { href: url, download: address.split("/").at(-1) }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
  say(`Saved with ${count === 1 ? "one answer" : `${count} answers`} in it.`);
}

export function open({ cells, source, put, say }) {
  const mine = cells.some((cell) => cell.kind === "answer" && source(cell) !== cell.given);
  if (mine && !window.confirm(REPLACE)) return;
  const input = Object.assign(document.createElement("input"), { type: "file", accept: ".ipynb,application/json" });
  input.addEventListener("change", async () => say(await read(input.files[0], cells, put)));
  input.click();
}

async function read(file, cells, put) {
  if (!file) return "";
  if (file.size > LARGEST) return `${file.name} is too large: a notebook of these exercises has a few kilobytes.`;
  let notebook;
  try {
    notebook = JSON.parse(await file.text());
    if (!notebook.cells.every((cell) => typeof text(cell.source) === "string")) throw new TypeError();
  } catch {
    return `${file.name} is no notebook.`;
  }
  let count = 0, found = 0;
  for (const place of places(cells)) {
    const given = find(notebook, place), source = given && text(given.source).replace(/\n$/, "");
    found += Boolean(given);
    if (!given || source === place.cell.given || source.length > 1e5) continue;
    put(place.cell, source);
    count += 1;
  }
  if (!found) return `${file.name} is a notebook of other exercises.`;
  return count ? `${count === 1 ? "One answer" : `${count} answers`} taken from ${file.name}.` : `There is no answer in ${file.name} yet.`;
}

export function reset({ cells, put, session }) {
  if (!window.confirm(FORGET)) return;
  if (session) return session.resetAll();
  for (const cell of cells.filter((each) => each.kept)) {
    put(cell, cell.given);
    cell.say("");
    delete cell.kept;
  }
}
