// What is published: the files, their names, and the types.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));
const cdn = join(here, "dist/cdn");

test("the tarball holds the package and nothing else", () => {
  const told = execFileSync("npm", ["pack", "--dry-run", "--json"], { cwd: here, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const parsed = JSON.parse(told);
  const [{ files }] = Array.isArray(parsed) ? parsed : Object.values(parsed);
  const paths = files.map(({ path }) => path.replace(/visitflow-[0-9a-f]{16}\./, "visitflow-HASH.")).sort();
  assert.deepEqual(paths, [
    "README.md",
    "dist/cdn/visitflow-HASH.js",
    "dist/cdn/visitflow-HASH.wasm",
    "dist/cdn/visitflow.js",
    "dist/core.js",
    "dist/index.js",
    "dist/node.js",
    "dist/visitflow.wasm",
    "index.d.ts",
    "package.json",
    "react/index.d.ts",
    "react/index.js",
  ]);
});

test("companions of the script are named after their content", () => {
  const companions = readdirSync(cdn).filter((name) => name !== "visitflow.js");
  const loader = readFileSync(join(cdn, "visitflow.js"), "utf8");
  assert.equal(companions.length, 2);
  for (const name of companions) {
    const hash = createHash("sha256").update(readFileSync(join(cdn, name))).digest("hex").slice(0, 16);
    assert.match(name, new RegExp(`^visitflow-${hash}\\.(js|wasm)$`));
    assert.ok(loader.includes(name));
  }
});

test("the script works under a strict Content-Security-Policy", () => {
  const loader = readFileSync(join(cdn, "visitflow.js"), "utf8");
  assert.doesNotMatch(loader, /\beval\(|new Function\(|innerHTML|document\.write/);
});

test("the import leaves the WebAssembly's address to the bundler", () => {
  const core = readFileSync(join(here, "dist/core.js"), "utf8");
  assert.match(core, /new URL\("visitflow\.wasm",import\.meta\.url\)/);
});

test("the types compile strictly, and refuse what is wrong", () => {
  const folder = mkdtempSync(join(tmpdir(), "visitflow-types-"));
  try {
    const types = join(here, "index.d.ts").replace(/\.d\.ts$/, ".js");
    const page = `
      import * as visitflow from ${JSON.stringify(types)};
      import type { Snapshot } from ${JSON.stringify(types)};
      visitflow.init({ consent: "pending", beforeConsent: "anonymous", pingIntervalMs: 5000 });
      visitflow.event("play", { level: 3 });
      visitflow.order({ id: "1", amount: "1.00", currency: "EUR", items: [{ sku: "a", quantity: 1 }] });
      const user: Promise<{ user_id: string }> = visitflow.login("a", "b");
      const told: Promise<Snapshot> = visitflow.snapshot();
      window.visitflow?.("event", "play", { level: 3 });
      window.visitflow?.grant();
      // @ts-expect-error consent is one of three words
      visitflow.init({ consent: "yes" });
      // @ts-expect-error an order has a currency
      visitflow.order({ id: "1", amount: "1.00" });
      void user; void told;
    `;
    writeFileSync(join(folder, "page.ts"), page);
    const tsc = join(here, "node_modules/typescript/bin/tsc");
    const options = ["--strict", "--noEmit", "--ignoreConfig", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"];
    execFileSync(process.execPath, [tsc, ...options, join(folder, "page.ts")], { cwd: folder, encoding: "utf8" });
  } catch (error) {
    assert.fail(error.stdout || error.message);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
