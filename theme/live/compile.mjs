// Writes archives of Python anew: the modules that a page loads first are compiled, for a page would do it each time, and
// what a page has no use for is left out, so that what is fetched stays as small.
// node compile.mjs {"folder": where they are, "names": [Python's library, NumPy, all for drawing …], "made": where to}
import { loadPyodide } from "pyodide";

const { folder, names, made } = JSON.parse(process.argv[2]);
const pyodide = await loadPyodide({ env: { HOME: "/home/pyodide", MPLBACKEND: "agg" } });
pyodide.mountNodeFS("/from", folder);
pyodide.mountNodeFS("/to", made);
pyodide.globals.set("names", pyodide.toPy(names));
pyodide.globals.set("wheel", (name) => pyodide.loadPackage(`${folder}/${name}`, { messageCallback() {} }));
await pyodide.runPythonAsync(`
import importlib, importlib.util, io, site, sys, zipfile
from importlib import _bootstrap_external


# Stubs, what only a compiler reads, and what needs a compiler, a terminal, sockets or processes.
USELESS = ".pyi", ".pxd", ".h", ".c", ".a"
IDLE = "numpy/f2py/", "_pyrepl/", "multiprocessing/", "xmlrpc/", "imaplib.", "smtplib.", "ftplib.", "poplib."


def loaded():
    return {getattr(module, "__file__", None) for module in list(sys.modules.values())}


await wheel(names[1])
import gzip, importlib.resources, numpy.ma, numpy.random, numpy.typing
first = loaded()  # of Python's library no more: it is fetched before anything is drawn
for name in names[2:]:
    await wheel(name)
importlib.invalidate_caches()
import matplotlib.pyplot as plt
plt.plot([0, 1])
plt.savefig(io.BytesIO(), bbox_inches="tight")

for place, name in enumerate(names):
    folder = site.getsitepackages()[0] if place else next(path for path in sys.path if path.endswith(".zip"))
    needed = loaded() if place > 1 else first
    with zipfile.ZipFile(f"/from/{name}") as given, zipfile.ZipFile(f"/to/{name}", "w", zipfile.ZIP_DEFLATED) as target:
        for member in sorted(given.namelist()):
            if member.endswith(USELESS) or member.startswith(IDLE):
                continue
            content = given.read(member)
            if member.endswith(".py") and f"{folder}/{member}" in needed:
                code = compile(content, member, "exec", dont_inherit=True)
                content = _bootstrap_external._code_to_hash_pyc(code, importlib.util.source_hash(content), checked=False)
                member += "c"
            target.writestr(zipfile.ZipInfo(member), bytes(content), zipfile.ZIP_DEFLATED, 9)
`);
