// What is sent of a page does not depend on who sends it: the loader when the page is left, the first view ahead of
// Rust, or Rust. The built files, in a page made of stand-ins.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ADA, LIVE, facts, handed, open, wasm } from "./built-page.js";

/** The page is left before anything has loaded. */
async function byLoader(situation) {
  const { browser, requests } = open(situation);
  const ready = handed(situation);
  browser.dispatchEvent(new Event("pagehide"));
  await ready;
  return facts(requests);
}

let instances = 0;

/** The core takes over. Without locks and client hints, which tell Chromium, the first view is left to Rust. */
async function byCore(situation, ahead) {
  const { browser, requests } = open(situation);
  const { locks, userAgentData } = navigator;
  if (!ahead) Object.assign(navigator, { locks: undefined, userAgentData: undefined });
  const { options, waiting } = await handed(situation);
  const { default: start } = await import(`../dist/core.js?${++instances}`); // a page of its own
  const started = start(wasm, options, waiting);
  await new Promise((resolve) => setTimeout(resolve));
  Object.assign(navigator, { locks, userAgentData });
  browser.dispatchEvent(new Event("pointerdown"));
  const exports = await started;
  exports.init(options, waiting.splice(0));
  const expected = 1 + (situation.calls?.length ?? 0);
  for (let turn = 0; turn < 100 && facts(requests).length < expected; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
  return facts(requests);
}

/** All but what differs from one sending to the next. */
const same = ({ id, age_ms, visitor_id, ...body }, cookies) => ({
  ...body,
  ...(/^A-/.test(id) && { id }), // an order's own
  visitor_id: visitor_id === cookies?.visitor_id ? "the one of the cookie" : /^v_[\da-f-]{36}$/.test(visitor_id) ? "a new one" : visitor_id,
});

const addresses = {
  "a plain address": "https://shop.example/landing",
  "a query": "https://shop.example/landing?size=40&utm_source=news",
  "a fragment": "https://shop.example/landing#access_token=SECRET",
  "a route in the fragment": "https://shop.example/#/shoes?size=40",
  "another route in the fragment": "https://shop.example/#!shoes",
  "a query too long": "https://shop.example/landing?utm_source=news&x=" + "x".repeat(3000),
  "a path too long": "https://shop.example/" + "x".repeat(3000),
  "letters beyond ASCII": "https://shop.example/schüh?größe=ö",
};
const referrers = {
  "no referrer": "",
  "a referrer": "https://search.example/?q=shoes",
  "a referrer with a fragment": "https://search.example/#top",
  "a referrer too long": "https://search.example/" + "y".repeat(3000),
};
const situations = {};
for (const [address, href] of Object.entries(addresses)) {
  for (const [from, referrer] of Object.entries(referrers)) situations[`${address}, ${from}`] = { href, referrer };
}
Object.assign(situations, {
  "a visitor who is known": { cookies: { visitor_id: ADA } },
  "a session that is alive": { cookies: LIVE },
  "another application's visitor_id": { cookies: { visitor_id: "98765" } },
  "a robot": { webdriver: true },
  "a site of another name": { data: { site: "shop" } },
  "no consent, and anonymous views": { data: { consent: "pending", beforeConsent: "anonymous" }, cookies: { visitor_id: ADA } },
  "no title": { title: "" },
  "a title that was cut within a letter": { title: "Shoes \ud83d" },
  "a browser with client hints": { hints: true },
  "an event": { calls: [["event", "play", { level: 3, list: [1, "a"] }]] },
  "an order": { calls: [["order", { id: "A-1", amount: 19.9 * 3, currency: "EUR", items: [{ sku: "a" }] }]] },
  "an order and an event": { calls: [["order", { id: "A-2", amount: "5.00", currency: "EUR" }], ["event", "bought"]] },
});

/** What the loader leaves out: 2,000 bytes have no room for it, and the server does without. */
const LATER = ["sequence", "title", "device"];

test("there are forty situations at least", () => assert.ok(Object.keys(situations).length >= 40));

for (const [name, situation] of Object.entries(situations)) {
  test(name, async () => {
    const ahead = await byCore(situation, true);
    const rust = await byCore(situation, false);
    const early = await byLoader(situation);
    const told = (all) => all.map((fact) => JSON.stringify(same(fact, situation.cookies)));
    assert.equal(ahead.length, 1 + (situation.calls?.length ?? 0));
    assert.deepEqual(told(ahead), told(rust), "the first view, and Rust's");
    const short = (all) =>
      all.map((fact) => {
        const { anonymous, ...body } = same(fact, situation.cookies);
        return Object.fromEntries(Object.entries(body).filter(([field, value]) => !LATER.includes(field) && value !== "").sort());
      });
    assert.deepEqual(short(early), short(ahead), "the loader's");
    assert.deepEqual(early.map(({ anonymous }) => anonymous), ahead.map(({ anonymous }) => !!anonymous));
  });
}
