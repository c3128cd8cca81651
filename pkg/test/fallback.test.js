// Where WebAssembly does not start, the same Rust as JavaScript goes on from the first view: the built files, in a page
// made of stand-ins.

import assert from "node:assert/strict";
import { test } from "node:test";
import { facts, handed, open } from "./built-page.js";

const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

test("without WebAssembly the second view goes on counting, with its referrer, and a start follows the first", async () => {
  const { browser, requests } = open({ hints: true });
  const { options, waiting } = await handed({});
  const landing = { ...waiting[0] };
  const given = Object.keys(landing).at(-1); // the name that it has in the built files
  const { default: start } = await import("../dist/core.js");
  const { default: fallback } = await import("../dist/fallback.js");
  const blocked = new Uint8Array(); // no WebAssembly
  const started = start(blocked, options, waiting).catch(() => fallback(options, waiting));
  await soon();
  browser.dispatchEvent(new Event("pointerdown"));
  const exports = await started;
  exports.init(options, waiting.splice(0));
  await soon();
  exports.tell({ ...landing, at: Date.now(), href: "https://shop.example/second", [given]: {} });
  await soon();
  const [first, second, ...more] = facts(requests);
  assert.deepEqual([first.url, first.sequence, more], ["https://shop.example/landing", 1, []]);
  assert.deepEqual([second.url, second.sequence, second.referrer], ["https://shop.example/second", 2, first.url]);
  assert.deepEqual(requests.map(([path]) => path.split("/").pop()), ["page_view", "start", "page_view"]);
});
