// Drops the rules that no page uses from the stylesheets of others, and the blanks from ours: node purge.mjs <built site>
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { transform } from "esbuild";
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
