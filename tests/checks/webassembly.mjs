// Runs a Python file in Pyodide, as a page would, on a file that is given: node webassembly.mjs <wheels> <file.py> <file>
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { loadPyodide } from "pyodide";

const [wheels, file, given] = process.argv.slice(2).map((each) => path.resolve(each));
const book = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const pyodide = await loadPyodide({ packageCacheDir: wheels });
await pyodide.loadPackage("numpy", { messageCallback() {} });
pyodide.mountNodeFS("/book", book);
pyodide.mountNodeFS("/given", path.dirname(given));
pyodide.globals.set("given", `/given/${path.basename(given)}`);
pyodide.runPython('import sys; sys.path += ["/book", "/book/theme/live/python", "/book/tests/checks"]');
console.log(pyodide.runPython(readFileSync(file, "utf-8"), { filename: file }));
