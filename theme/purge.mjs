// Drops the rules that no page uses from the stylesheets of others, and the blanks from ours; paper gets the colours of the
// day: node purge.mjs <built site>
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { transform } from "esbuild";
import postcss from "postcss";
import { PurgeCSS } from "purgecss";

const site = process.argv[2];
const css = globSync(`${site}/_static/**/*.css`).filter((path) => !/(book|palette|widgets|live)\.css$/.test(path));
const content = [...globSync(`${site}/**/*.html`), ...globSync(`${site}/_static/**/*.js`)];
// Of a page its tags and scripts: what its sentences say is no name of a class, though a word may look like one.
const named = (page) => page.replace(/<script\b[^]*?<\/script>|>[^<]+(?=<)/g, (part) => (part[0] === "<" ? part : ">"));
const results = await new PurgeCSS().purge({
  css: css.map((path) => ({ raw: readFileSync(path, "utf-8"), extension: "css" })),
  content: content.map((path) => {
    const text = readFileSync(path, "utf-8");
    return { raw: path.endsWith(".html") ? named(text) : text, extension: "html" };
  }),
  safelist: { greedy: [/data-theme|data-mode|data-bs|:root/] },
  variables: false,
});
results.forEach(({ css: text }, index) => writeFileSync(css[index], text));
for (const path of globSync(`${site}/_static/{book,widgets}.css`)) {
  const { code } = await transform(readFileSync(path, "utf-8"), { loader: "css", minify: true });
  writeFileSync(path, code);
}
const plain = (node) => String(node).replace(/\s|;/g, "");
// A page that is dark on the screen is printed on white paper: rules of the dark hold on screens only, and those of the
// light also in print, whichever is set.
for (const path of globSync(`${site}/_static/**/*.css`)) {
  const root = postcss.parse(readFileSync(path, "utf-8"));
  for (const rule of root.nodes.filter((node) => node.type === "rule")) {
    const is = (theme) => rule.selectors.every((selector) => new RegExp(`data-theme="?${theme}`).test(selector));
    if (is("dark")) rule.replaceWith(postcss.atRule({ name: "media", params: "screen", nodes: [rule.clone()] }));
    if (is("light")) {
      const always = rule.clone({ selector: rule.selector.replace(/\[data-theme="?light"?\]/g, "[data-theme]") });
      const printed = postcss.atRule({ name: "media", params: "print", nodes: [always] });
      // A second build finds what the first has added.
      if (plain(rule.next()) !== plain(printed)) rule.after(printed);
    }
  }
  writeFileSync(path, root.toString());
}
