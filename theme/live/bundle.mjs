// Bundles scripts with esbuild: node bundle.mjs {"scripts": [path, …], "folder": path, "define": {name: value in JSON}}
import * as esbuild from "esbuild";

const { scripts, folder, define } = JSON.parse(process.argv[2]);
const modules = scripts[0].endsWith(".mjs");
await esbuild.build({
  entryPoints: scripts,
  outdir: folder,
  outExtension: modules ? { ".js": ".mjs" } : {},
  define,
  bundle: true,
  minify: true,
  format: modules ? "esm" : "iife",
  target: "es2022",
  charset: "utf8",
  external: ["./pyodide.mjs"],
  legalComments: "none",
  loader: modules ? { ".css": "text" } : {}, // a module brings its style along
  logLevel: "warning",
});
