// Builds the CommonJS variant of the package into dist/cjs: for Jest, and the types for TypeScript projects that
// compile to CommonJS. Node.js and bundlers use the ES modules, so that a page has only one client.
//
//     node pkg/commonjs.mjs

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** The entries and their sources, relative to this folder; `dist` is the folder of the built package. */
const entries = (dist) => ({
  index: { source: join(dist, "node.js"), types: "index.d.ts" },
  slim: { source: join(dist, "node.js"), types: "slim.d.ts" },
  "consent-google": { source: join(dist, "consent-google.js"), types: "consent/google.d.ts" },
  "consent-tcf": { source: join(dist, "consent-tcf.js"), types: "consent/tcf.d.ts" },
  react: { source: "react/index.js", types: "react/index.d.ts" },
  vue: { source: "vue/index.js", types: "vue/index.d.ts" },
  server: { source: "server/index.js", types: "server/index.d.ts" },
});

/** Writes `dist`/cjs. */
export async function commonjs(dist) {
  const esbuild = await import("esbuild");
  const out = join(dist, "cjs");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  for (const [name, { source, types }] of Object.entries(entries(dist))) {
    await esbuild.build({
      absWorkingDir: here,
      entryPoints: [source],
      outfile: join(out, `${name}.cjs`),
      bundle: true,
      packages: "external",
      format: "cjs",
      platform: "node",
      target: "es2021",
    });
    const declarations = readFileSync(join(here, types), "utf8");
    if (/from "\./.test(declarations)) throw new Error(`${types} imports a file; name the package instead`);
    writeFileSync(join(out, `${name}.d.cts`), declarations);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await commonjs(join(here, "dist"));
