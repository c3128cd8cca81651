// What counts as another address, in client-wasm/src/browser/host.js.

import assert from "node:assert/strict";
import { test } from "node:test";
import { go, reported } from "../../client-wasm/src/browser/host.js";

const OTHER = 1;
const OTHER_PATH = 3;

test("fragments are left out unless they route", () => {
  assert.equal(reported("https://a.example/b?c#d"), "https://a.example/b?c");
  assert.equal(reported("https://a.example/#/b"), "https://a.example/#/b");
  assert.equal(reported("https://a.example/#!b"), "https://a.example/#!b");
});

test("an address too long loses its query", () => {
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
