// What counts as another address, in client-wasm/src/browser/host.js.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { go, reported } from "../../client-wasm/src/browser/host.js";

const OTHER = 1;
const OTHER_PATH = 3;

test("fragments are left out unless they route", () => {
  assert.equal(reported("https://a.example/b?c#d"), "https://a.example/b?c");
  assert.equal(reported("https://a.example/#/b"), "https://a.example/#/b");
  assert.equal(reported("https://a.example/#!b"), "https://a.example/#!b");
});

test("an address too long keeps the campaign of its query, and nothing else", () => {
  const long = "https://a.example/b?utm_source=news&x=" + "x".repeat(2048) + "&gclid=1#/route";
  assert.equal(reported(long), "https://a.example/b?utm_source=news&gclid=1");
  assert.equal(reported("https://a.example/b?" + "x".repeat(2048)), "https://a.example/b");
  assert.equal(reported("https://a.example/b?" + "ü".repeat(1100)), "https://a.example/b", "bytes count");
  const fits = "https://a.example/b?" + "x".repeat(2028);
  assert.equal(reported(fits), fits);
});

test("going somewhere says whether the address is another, and whether its path is", () => {
  const steps = [
    ["https://a/b", OTHER_PATH],
    ["https://a/b", 0],
    ["https://a/b?p=2", OTHER],
    ["https://a/c?p=2", OTHER_PATH],
    ["https://a/#/b", OTHER_PATH],
    ["https://a/#/b?x", OTHER],
    ["https://a/#/c", OTHER_PATH],
  ];
  for (const [to, bits] of steps) assert.equal(go(to), bits, to);
});

test("names, ages and limits are those of the protocol", () => {
  const read = (path) => readFileSync(new URL("../../" + path, import.meta.url), "utf8");
  const protocol = read("protocol/src/lib.rs");
  const host = read("client-wasm/src/browser/host.js");
  const value = (name) => {
    const [, text] = new RegExp(`const ${name}: .*? = (.*?);`).exec(protocol);
    return text.startsWith('"') ? JSON.parse(text) : text.replaceAll("_", "").split("*").reduce((product, factor) => product * factor, 1);
  };
  const written = {
    VISITOR: (name) => `VISITOR = "${name}"`,
    LAST_ACTIVITY: (name) => `HINT = "${name}"`,
    VISITOR_MAX_AGE_S: (age) => `sticks(VISITOR, visitor, ${age})`,
    LAST_ACTIVITY_MAX_AGE_S: (age) => `sticks(HINT, at, ${age}, sure)`,
    URL_BYTES: (limit) => `fits(bare, ${limit})`,
    ARRAY_ITEMS: (limit) => `bodies.length == ${limit}`,
    SESSION_IDLE_MS: (age) => `readActivity()) < ${age}`,
    AGE_MS: (age) => `DAYS_7 = ${age}`,
    SESSION_START: (path) => `SESSION = "${path.replace("start", "")}"`,
    PAGE_VIEW: (path) => `"${path.replace("page_view", "")}" + path`,
  };
  for (const [name, text] of Object.entries(written)) assert.ok(host.includes(text(value(name))), text(value(name)));
});
