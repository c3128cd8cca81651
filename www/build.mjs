// Builds the pages into dist/: `node www/build.mjs`.
//
//   dist/<page>/index.html            from <page>/index.html
//   dist/assets/<page>-<hash>.{js,css} from <page>/src/main.js and <page>/<page>.css
//
// The server sends /assets/ as immutable, so a name must change with its content: <hash> is the
// first 16 hex digits of the file's SHA-256. A file that is already there is not written again,
// so that whoever watches dist/ sees only real changes. Nothing is installed here: run `npm ci`
// in this directory first.

import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

/** Each page, and the licences that its bundle must carry. */
const pages = [
  { name: "dashboard", licences: ["uplot/LICENSE", "punycode/LICENSE-MIT.txt"] },
  { name: "demo", licences: [] },
  { name: "your-data", licences: [] },
];

const esbuild = await import("esbuild").catch(() => {
  console.error(`esbuild is not installed: run \`npm ci\` in ${here} first.`);
  process.exit(1);
});

/** The files of dist/, by their path within it. */
const files = new Map();
for (const page of pages) await buildPage(page);
const written = await writeAll();
await removeOthers(dist);
console.log(`www: ${files.size} files in dist/, ${written} new`);

async function buildPage({ name, licences }) {
  const js = await bundle(join(here, name, "src/main.js"), { js: await banner(licences) });
  const css = await bundle(join(here, name, `${name}.css`));
  const addresses = { script: addAsset(name, "js", js), style: addAsset(name, "css", css) };
  const template = await readFile(join(here, name, "index.html"), "utf8");
  const html = template.replace(/\{\{(\w+)\}\}/g, (_, key) => {
    if (!(key in addresses)) throw new Error(`${name}/index.html: unknown {{${key}}}`);
    return addresses[key];
  });
  files.set(`${name}/index.html`, Buffer.from(html));
}

async function bundle(entry, bannerOf = {}) {
  const result = await esbuild.build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: ["chrome111", "firefox121", "safari16.4"],
    loader: { ".svg": "dataurl" },
    banner: bannerOf,
    legalComments: "eof",
    logLevel: "warning",
  });
  return Buffer.from(result.outputFiles[0].contents);
}

function addAsset(name, extension, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8);
  const path = `assets/${name}-${hash}.${extension}`;
  files.set(path, content);
  return `/${path}`;
}

async function banner(licences) {
  const texts = await Promise.all(
    licences.map(async (file) => {
      const text = await readFile(join(here, "node_modules", file), "utf8");
      return `/*! ${dirname(file)}\n\n${text.trim()}\n*/`;
    }),
  );
  return texts.join("\n");
}

async function writeAll() {
  let count = 0;
  for (const [path, content] of files) {
    const target = join(dist, path);
    const present = await readFile(target).catch(() => null);
    if (present?.equals(content)) continue;
    await mkdir(dirname(target), { recursive: true });
    // Written beside and renamed, so that a server never reads half a file.
    const draft = `${target}.${process.pid}.tmp`;
    await writeFile(draft, content);
    await rename(draft, target);
    count += 1;
  }
  return count;
}

/** Removes what an earlier build left, so that dist/ can be embedded as it is. */
async function removeOthers(directory) {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await removeOthers(path);
    else if (!files.has(relative(dist, path).replaceAll("\\", "/"))) await rm(path);
  }
}
