// What a tracker costs a page: `cargo xtask bench client`.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { contestants } from "./contestants.mjs";
import { measure } from "./measure.mjs";
import { open } from "./site.mjs";

const HELP = `Measures what trackers cost a page, in Chromium, slowed down four times.

Usage: cargo xtask bench client [--rounds N] [--write]

  --rounds N   Measure each tracker N times, each time with a fresh profile (default 9)
  --write      Put the table into docs/performance.md
`;

const PERFORMANCE = new URL("../../docs/performance.md", import.meta.url);
const BEGIN = "<!-- begin: cargo xtask bench client --write -->";
const END = "<!-- end -->";

const given = process.argv.slice(2);
if (given.includes("--help")) {
  console.log(HELP);
  process.exit();
}
const at = given.indexOf("--rounds");
const rounds = at < 0 ? 9 : Number(given[at + 1]);
const unknown = given.filter((word, n) => word !== "--write" && n !== at && (at < 0 || n !== at + 1));
if (!(rounds >= 1) || unknown.length > 0) {
  console.error(HELP);
  process.exit(2);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Every contestant once a round, each round in another order. */
async function run() {
  const site = await open();
  const all = await contestants(site.origin);
  const figures = new Map(all.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < all.length; n++) {
      const contestant = all[(n + round) % all.length];
      const figure = await measure(site, contestant);
      figures.get(contestant.name).push(figure);
      const view = figure.viewMs === null ? "" : `view after ${figure.viewMs.toFixed(0)} ms, `;
      console.log(`round ${round + 1}: ${contestant.name}: ${view}${figure.taskMs.toFixed(0)} and then ${figure.wholeMs.toFixed(0)} ms of tasks, ${figure.scrollUs.toFixed(1)} µs a scroll event`);
    }
  }
  site.close();
  const of = (name, what) => median(figures.get(name).map((figure) => figure[what]));
  return all.slice(1).map(({ name }) => ({
    name,
    view: of(name, "viewMs"),
    task: of(name, "taskMs") - of("none", "taskMs"),
    whole: of(name, "wholeMs") - of("none", "wholeMs"),
    scroll: of(name, "scrollUs") - of("none", "scrollUs"),
  }));
}

function table(rows) {
  const plausible = rows.find(({ name }) => name.includes("plausible"));
  const chromium = execFileSync(process.env.CHROMIUM ?? "/usr/bin/chromium", ["--version"], { encoding: "utf8" }).trim();
  const lines = rows.map(
    ({ name, view, task, whole, scroll }) =>
      `| ${name} | ${view.toFixed(0)} | ${(view / plausible.view).toFixed(2)} | ${task.toFixed(0)} | ${(task / plausible.task).toFixed(2)} | ${whole.toFixed(0)} | ${scroll.toFixed(1)} |`,
  );
  return `Medians of ${rounds} fresh profiles, in turn; ${chromium}, slowed down 4 times; ${cpus().length} cores of ${cpus()[0].model}, Linux ${release()}.

| tracker | first view, ms after the page was requested | of Plausible's | main-thread ms of the load, more than without a tracker | of Plausible's | the same, including the visitor's first action | µs per scroll event, more than without a tracker |
|---|---:|---:|---:|---:|---:|---:|
${lines.join("\n")}`;
}

const text = table(await run());
console.log("\n" + text);
if (given.includes("--write")) {
  const [before, rest] = readFileSync(PERFORMANCE, "utf8").split(BEGIN);
  const after = rest.slice(rest.indexOf(END));
  writeFileSync(PERFORMANCE, `${before}${BEGIN}\n\n\`cargo xtask bench client --write\`\n\n${text}\n\n${after}`);
  console.log("\nwritten to docs/performance.md");
}
