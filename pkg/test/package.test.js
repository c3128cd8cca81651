// What is published: the files, their names, and the types.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";

const here = fileURLToPath(new URL("..", import.meta.url));
const cdn = join(here, "dist/cdn");

test("the tarball holds the package and nothing else", () => {
  const told = execFileSync("npm", ["pack", "--dry-run", "--json"], { cwd: here, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const parsed = JSON.parse(told);
  const [{ files }] = Array.isArray(parsed) ? parsed : Object.values(parsed);
  const paths = files.map(({ path }) => path.replace(/-[0-9a-f]{8}\./, "-HASH.")).sort();
  assert.deepEqual(paths, [
    "LICENSE",
    "README.md",
    "astro/Consent.astro",
    "astro/client.d.ts",
    "astro/client.js",
    "astro/element.js",
    "astro/index.d.ts",
    "astro/index.js",
    "consent/google.d.ts",
    "consent/google.js",
    "consent/tcf.d.ts",
    "consent/tcf.js",
    "dist/capture.js",
    "dist/cdn/visitflow-HASH.js",
    "dist/cdn/visitflow-HASH.wasm",
    "dist/cdn/visitflow-capture-HASH.js",
    "dist/cdn/visitflow-consent-google.js",
    "dist/cdn/visitflow-consent-tcf.js",
    "dist/cdn/visitflow-debug-HASH.js",
    "dist/cdn/visitflow-extras-HASH.js",
    "dist/cdn/visitflow-fallback-HASH.js",
    "dist/cdn/visitflow-session-HASH.js",
    "dist/cdn/visitflow.js",
    ...["consent-google", "consent-tcf", "index", "react", "server", "slim", "vue"].flatMap((name) =>
      [`dist/cjs/${name}.cjs`, `dist/cjs/${name}.d.cts`]),
    "dist/consent-google.js",
    "dist/consent-tcf.js",
    "dist/core.js",
    "dist/debug.js",
    "dist/extras.js",
    "dist/fallback.js",
    "dist/index.js",
    "dist/node.js",
    "dist/session.js",
    "dist/slim.js",
    "dist/visitflow.wasm",
    "index.d.ts",
    "kit/account.js",
    "kit/client.js",
    "nuxt/index.d.ts",
    "nuxt/index.js",
    "nuxt/plugin.js",
    "package.json",
    "react/index.d.ts",
    "react/index.js",
    "react/provider.js",
    "react/sessions.js",
    "react/user.js",
    "react/your_data.js",
    "server/express.js",
    "server/fastify.js",
    "server/gate.js",
    "server/hono.js",
    "server/index.d.ts",
    "server/index.js",
    "server/next.js",
    "server/node-response.js",
    "server/response.js",
    "server/sveltekit.js",
    "slim.d.ts",
    "slim.js",
    "svelte/index.d.ts",
    "svelte/index.js",
    "vue/index.d.ts",
    "vue/index.js",
  ]);
});

test("companions of the script share a name that changes with what they hold", () => {
  const loader = readFileSync(join(cdn, "visitflow.js"), "utf8");
  const hash = /"([0-9a-f]{8})\.js"/.exec(loader)[1];
  const companions = readdirSync(cdn).filter((name) => name.includes(hash)).sort();
  const holds = ["", "capture-", "debug-", "extras-", "fallback-", "session-"].map((part) => `visitflow-${part}${hash}.js`);
  assert.deepEqual(companions, [...holds, `visitflow-${hash}.wasm`].sort());
  // The hash is that of the files without it.
  const sha256 = (data) => createHash("sha256").update(data).digest("hex");
  const bare = (name) => Buffer.from(readFileSync(join(cdn, name), "utf8").replaceAll(hash, "__hash__"));
  const order = [`visitflow-${hash}.wasm`, holds[0], holds[4], holds[1], holds[3], holds[2], holds[5]];
  const digests = order.map((name) => sha256(name.endsWith(".js") ? bare(name) : readFileSync(join(cdn, name))));
  assert.equal(sha256(digests.join("\n")).slice(0, 8), hash);
  for (const name of ["visitflow-fallback-__hash__.js", "visitflow-__hash__.wasm"]) {
    assert.ok(bare(holds[0]).includes("./" + name));
  }
});

test("the script works under a strict Content-Security-Policy", () => {
  const loader = readFileSync(join(cdn, "visitflow.js"), "utf8");
  assert.doesNotMatch(loader, /\beval\(|new Function\(|innerHTML|document\.write/);
});

test("the import leaves the WebAssembly's address to the bundler", () => {
  const index = readFileSync(join(here, "dist/index.js"), "utf8");
  assert.match(index, /new URL\("visitflow\.wasm",import\.meta\.url\)/);
});

test("the types compile strictly, and refuse what is wrong", () => {
  const folder = mkdtempSync(join(tmpdir(), "visitflow-types-"));
  try {
    const types = join(here, "index.d.ts").replace(/\.d\.ts$/, ".js");
    const page = `
      import * as visitflow from ${JSON.stringify(types)};
      import type { ConfigOptions, Snapshot } from ${JSON.stringify(types)};
      visitflow.init({ consent: "pending", beforeConsent: "anonymous", pingIntervalMs: 5000 });
      visitflow.event("play", { level: 3 });
      visitflow.order({ id: "1", amount: "1.00", currency: "EUR", items: [{ sku: "a", quantity: 1 }] });
      const user: Promise<{ user_id: string }> = visitflow.login("a", "b");
      void visitflow.login("a", "b", { remember: true });
      void visitflow.login({ assertion: "a", remember: true });
      const told: Promise<Snapshot> = visitflow.snapshot();
      const here: Promise<string | null> = visitflow.session().then((session) => session && session.user);
      const ended: Promise<void> = visitflow.sessions().then(([first]) => visitflow.endSession(first!.session));
      void visitflow.endSession({ others: true });
      const tagged = window.visitflow?.("session").then((session) => session?.expiresAt.getTime());
      window.visitflow?.("event", "play", { level: 3 });
      window.visitflow?.grant();
      // @ts-expect-error consent is one of three words
      visitflow.init({ consent: "yes" });
      const inFile: ConfigOptions = { before: "maskFact", query: ["page"] };
      // @ts-expect-error a configuration file carries no function to the page
      const withFunction: ConfigOptions = { before: (fact: unknown) => fact };
      // @ts-expect-error an order has a currency
      visitflow.order({ id: "1", amount: "1.00" });
      void user; void told; void here; void ended; void tagged; void inFile; void withFunction;
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

test("scripts leave the page's names alone", () => {
  for (const name of ["visitflow.js", "visitflow-consent-google.js", "visitflow-consent-tcf.js"]) {
    const page = { document: { querySelector() {} }, window: { visitflow: { snapshot() {} } }, addEventListener() {}, setTimeout() {} };
    const names = Object.keys(page);
    try {
      runInContext(readFileSync(join(cdn, name), "utf8"), createContext(page));
    } catch {
      // The stand-in is no page.
    }
    assert.deepEqual(Object.keys(page), names, name);
  }
});
