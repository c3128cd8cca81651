// The shape of the shell: small files, no circle among them, each in the table of docs/architecture.md.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const shell = new URL("../../client-wasm/shell/", import.meta.url);
const files = new Map(readdirSync(shell).map((name) => [name, readFileSync(new URL(name, shell), "utf8")]));
const imports = (name) => [...files.get(name).matchAll(/from "\.\/(.+?)"/g)].map(([, file]) => file);

test("no file of the shell has more than 150 lines, and each begins with what it is about", () => {
  for (const [name, text] of files) {
    assert.ok(text.split("\n").length <= 150, name);
    assert.match(text, /^\/\/ \w/, name);
  }
});

test("no import runs in a circle", () => {
  const walk = (name, before) => {
    assert.ok(!before.includes(name), [...before, name].join(" → "));
    for (const next of imports(name)) walk(next, [...before, name]);
  };
  for (const name of files.keys()) walk(name, []);
});

test("the shell knows nothing of the package, and Rust only in one file", () => {
  for (const [name, text] of files) {
    assert.doesNotMatch(text, /from "\.\.\//, name);
    if (name !== "rust.js") assert.doesNotMatch(text, /serial\.js/, name);
  }
});

test("each file stands in the table of the documentation", () => {
  const docs = readFileSync(new URL("../../docs/architecture.md", import.meta.url), "utf8");
  for (const name of files.keys()) assert.ok(docs.includes("`" + name.replace(".js", "") + "`"), name);
});

test("the suite for the browsers is served each file that one of its files imports", () => {
  const sources = (folder) =>
    readdirSync(new URL(folder, import.meta.url), { recursive: true })
      .filter((name) => name.endsWith(".rs"))
      .map((name) => readFileSync(new URL(folder + name, import.meta.url), "utf8"));
  const rust = [...sources("../../client-wasm/src/"), ...sources("../../client-wasm/tests/web/")].join();
  const served = new Set([...rust.matchAll(/"\/shell\/(.+?)"/g)].map(([, file]) => file));
  assert.ok(served.size > 10);
  for (const name of served) for (const needed of imports(name)) assert.ok(served.has(needed), `${name}: ${needed}`);
});
