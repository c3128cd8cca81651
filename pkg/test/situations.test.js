// What is sent of a page does not depend on who sends it: the loader when the page is left, the first view ahead of
// Rust, or Rust. The built files, in a page made of stand-ins.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInThisContext } from "node:vm";

const dist = new URL("../dist/", import.meta.url);
const loader = readFileSync(new URL("cdn/visitflow.js", dist), "utf8").replaceAll("import(", "imported(");
const wasm = readFileSync(new URL("visitflow.wasm", dist));

const ADA = "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80";
const LIVE = { visitor_id: ADA, last_activity: String(Date.now()) };

const stand = (globals) => {
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { configurable: true, writable: true, value });
  }
};

/** A page; `requests` is what it sends: path and body. */
function open({ href = "https://shop.example/landing", referrer = "", title = "A page", cookies = {}, webdriver, hints, data = {} }) {
  const jar = new Map(Object.entries(cookies));
  const requests = [];
  const browser = new EventTarget();
  const send = (url, body) => requests.push([new URL(url).pathname, JSON.parse(body)]);
  stand({
    requests,
    document: {
      title,
      referrer,
      hidden: false,
      hasFocus: () => true,
      documentElement: { scrollHeight: 1000 },
      currentScript: { src: "https://stats.example/visitflow.js", dataset: { consent: "granted", ...data } },
      get cookie() {
        return [...jar].map((pair) => pair.join("=")).join("; ");
      },
      set cookie(text) {
        const [, name, value] = /^(.+?)=(.*?);/.exec(text);
        if (/Max-Age=0/.test(text)) jar.delete(name);
        else jar.set(name, value);
      },
    },
    location: new URL(href),
    history: { length: 1, pushState() {}, replaceState() {} },
    navigator: {
      language: "en",
      webdriver,
      userAgentData: hints && { platform: "Linux", mobile: false, brands: [{ brand: "B", version: "1" }] },
      locks: { request: async (_, run) => run() },
      sendBeacon: (url, body) => !!send(url, body),
    },
    fetch: async (url, { body }) => {
      send(url, body);
      const start = /start$/.test(url);
      return new Response(start ? '{"session":"started"}' : null, { status: start ? 200 : 204 });
    },
    localStorage: {},
    screen: { width: 800, height: 600 },
    innerWidth: 700,
    innerHeight: 500,
    scrollY: 0,
    frameElement: null,
    self: globalThis,
    window: globalThis,
    visitflow: undefined,
    navigation: new EventTarget(),
    addEventListener: (...all) => browser.addEventListener(...all),
    removeEventListener: (...all) => browser.removeEventListener(...all),
    BroadcastChannel: class {
      postMessage() {}
      close() {}
    },
  });
  return { browser, requests };
}

/** Runs the loader; resolves with what it hands to the core. */
const handed = (situation) =>
  new Promise((resolve) => {
    globalThis.imported = async () => ({ default: (options, waiting) => (resolve({ options, waiting }), new Promise(() => {})) });
    runInThisContext(loader);
    for (const [name, ...args] of situation.calls ?? []) globalThis.visitflow(name, ...args);
  });

const facts = (requests) => requests.filter(([path]) => path.startsWith("/api/telemetry/")).flatMap(([, body]) => body);

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
