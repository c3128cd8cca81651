// The built client with its WebAssembly, in a page made of stand-ins.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE, facts, handed, open, wasm } from "./built-page.js";

const soon = () => new Promise((resolve) => setTimeout(resolve, 20));
let instances = 0;

/** The page with Rust in it. */
async function start(situation = {}) {
  const page = open(situation);
  const { options, waiting } = await handed(situation);
  const { default: core } = await import(`../dist/core.js?built${++instances}`);
  const started = core(wasm, options, waiting);
  await soon();
  page.browser.dispatchEvent(new Event("pointerdown"));
  const exports = await started;
  exports.init(options, waiting.splice(0));
  await soon();
  return { ...page, options, exports };
}

test("what is called as an event handler settles", async () => {
  const { exports } = await start({ hints: true });
  for (const name of ["flush", "logout", "end"]) await exports.call(name, new Event("click"));
});

test("after consent was taken back, another consent tells the page anew, once, by another visitor", async () => {
  const { exports, requests } = await start({ hints: true });
  await exports.call("revoke");
  exports.call("grant", []);
  await soon();
  exports.call("grant", []);
  await soon();
  const views = facts(requests);
  assert.deepEqual(views.map(({ url, title }) => [url, title]), Array(2).fill(["https://shop.example/landing", "A page"]));
  assert.notEqual(views[0].visitor_id, views[1].visitor_id);
});

test("on a page that is not counted no visitor is named, nothing of before is sent and no session begins", async () => {
  const kept = { "visitflow:a": JSON.stringify({ claimed: 0, path: "/api/telemetry/event", at: Date.now(), body: { id: "a", name: "b" } }) };
  globalThis.dropped = () => {};
  for (const data of [{ exclude: "/landing" }, { before: "dropped" }]) {
    const { exports, requests, browser } = await start({ hints: true, data, storage: { ...kept } });
    browser.dispatchEvent(new Event("click"));
    await exports.call("flush");
    assert.deepEqual([requests, document.cookie], [[], ""], Object.keys(data)[0]);
  }
});

test("a visitor who is known goes on without a start", async () => {
  const { requests } = await start({ hints: true, cookies: LIVE });
  assert.deepEqual(requests.map(([path]) => path), ["/api/telemetry/page_view"]);
});
