// Pyodide: loads Python, tells how far that is, and runs what the page sends.
import { loadPyodide } from "./pyodide.mjs";

const base = new URL(".", import.meta.url).href;
const fetched = self.fetch;
let got = 0, told = -1, now = 0;

// Whoever fetches, the bytes are counted on their way: those of a copy, for a browser keeps what it has compiled of the
// answer itself. What does not come ends it all, for Pyodide would wait.
self.fetch = async (...request) => {
  try {
    const answer = await fetched(...request);
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    count(answer.clone().body.getReader()).catch(lost);
    return answer;
  } catch (error) {
    lost(error);
    throw error;
  }
};

const lost = (error) => postMessage({ kind: "dead", text: `Python could not be loaded (${error.message}). Are you offline? Run the cell again to try once more.` });

async function count(reader) {
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    got += next.value.byteLength;
    const share = Math.min(100, Math.round((100 * got) / KIT.size));
    if (share !== told) postMessage({ kind: "coming", text: `Python is on its way: ${(told = share)} % of ${KIT.carried} MB` });
  }
}

async function start(buffer) {
  const book = fetch(`${base}book.zip?v=${KIT.version}`).then((answer) => answer.arrayBuffer());
  const pyodide = await loadPyodide({
    indexURL: base,
    packages: ["numpy"],
    env: { HOME: "/home/pyodide", MPLBACKEND: "agg" },
  });
  pyodide.unpackArchive(await book, "zip", { extractDir: "/book" });
  if (buffer) pyodide.setInterruptBuffer(buffer);
  pyodide.globals.set("emit", (kind, text) => postMessage({ kind, text, id: now }));
  pyodide.globals.set("says", (text) => postMessage({ kind: "coming", text }));
  pyodide.globals.set("drawing", pyodide.toPy(KIT.drawing));
  pyodide.globals.set("here", pyodide.toPy([base, KIT.version]));
  const cells = pyodide.runPython(`
import site, sys
sys.path.insert(0, "/book")
import absent, fetched, cells
absent.install()
fetched.install(*here, drawing, site.getsitepackages()[0], says)
cells.Cells(emit)`);
  self.fetch = fetched;
  postMessage({ kind: "coming", text: "Python is here." });
  return cells;
}

let ready;
onmessage = async ({ data }) => {
  ready ??= start(data.buffer);
  let cells;
  try {
    cells = await ready;
  } catch (error) {
    return lost(error);
  }
  if (!data.id) return;
  now = data.id;
  postMessage({ kind: "began", id: now });
  try {
    const ok = data.quiet ? cells.prepare(data.source, data.name) : cells.run(data.source, data.name);
    postMessage({ kind: "done", id: now, ok });
  } catch (error) {
    const what = String(error.message ?? error).trim().split("\n").at(-1).slice(0, 300);
    postMessage({ kind: "dead", text: `Python has broken down (${what}). It starts afresh with the next run, which first runs the cells before it again.` });
  }
};
