// Drops the rules that no page uses from the stylesheets of others: node purge.mjs <built site>
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { PurgeCSS } from "purgecss";

const site = process.argv[2];
const css = globSync(`${site}/_static/**/*.css`).filter((path) => !/(book|palette|widgets)\.css$/.test(path));
const content = [...globSync(`${site}/**/*.html`), ...globSync(`${site}/_static/**/*.js`)];
const results = await new PurgeCSS().purge({
  css: css.map((path) => ({ raw: readFileSync(path, "utf-8"), extension: "css" })),
  content: content.map((path) => ({ raw: readFileSync(path, "utf-8"), extension: "html" })),
  safelist: { greedy: [/data-theme|data-mode|data-bs|:root/] },
  variables: false,
});
results.forEach(({ css: text }, index) => writeFileSync(css[index], text));
