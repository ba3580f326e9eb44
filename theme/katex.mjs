// Renders formulas with KaTeX, whose options and macros have their place here: a JSON list of {tex, display} on stdin, a JSON
// list of {html} or {error} on stdout.
import { readFileSync } from "node:fs";
import katex from "katex";

const formulas = JSON.parse(readFileSync(0, "utf-8"));
const rendered = formulas.map(({ tex, display }) => {
  try {
    return { html: katex.renderToString(tex, { displayMode: display, strict: "error", output: "htmlAndMathml" }) };
  } catch (error) {
    return { error: error.message };
  }
});
process.stdout.write(JSON.stringify(rendered));
