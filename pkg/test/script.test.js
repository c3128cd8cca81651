// The script tag in a page made of stand-ins: what it does before the WebAssembly is there.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";

// A stand-in for a page has no modules of its own.
const loader = readFileSync(new URL("../dist/cdn/visitflow.js", import.meta.url), "utf8").replaceAll("import(", "imported(");

const stub = readFileSync(new URL("../../examples/script-tag/stub.js", import.meta.url), "utf8");

/** A page that holds the tag; what the script does is written down. */
function page(dataset = {}, { gpc, before = "", imported = new Promise(() => {}), module, tagless, asked = [] } = {}) {
  const seen = { fetched: [], beacons: [], cookies: [], warned: [] };
  const listeners = {};
  const document = {
    currentScript: module ? null : { src: "https://stats.example/visitflow.js", dataset },
    querySelector: (selector) => asked.push(selector) && (tagless ? null : { src: "https://stats.example/visitflow.js", dataset }),
    referrer: "https://search.example/",
    get cookie() {
      return seen.cookies.at(-1)?.split(";")[0] ?? "";
    },
    set cookie(text) {
      seen.cookies.push(text);
    },
  };
  const window = createContext({
    document,
    frameElement: null,
    location: new URL("https://shop.example/landing"),
    navigator: { globalPrivacyControl: gpc, sendBeacon: (url, body) => seen.beacons.push([url, JSON.parse(body)]) },
    fetch: async (url, { body }) => void seen.beacons.push([url, JSON.parse(body)]),
    crypto,
    URL,
    console: { warn: (...words) => void seen.warned.push(words.join(" ")) },
    addEventListener: (name, run) => (listeners[name] = run),
    imported: (url) => {
      seen.fetched.push(url);
      return imported;
    },
  });
  window.window = window;
  runInContext(before, window);
  runInContext(loader, window);
  return { visitflow: window.visitflow, heard: window.heard, seen, leave: () => listeners.pagehide?.() };
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 10));

test("nothing is fetched, sent or stored before consent", async () => {
  for (const consent of ["pending", "denied", undefined]) {
    const { visitflow, seen, leave } = page({ consent });
    visitflow.event("play");
    visitflow("pageView");
    visitflow("deny");
    await visitflow.revoke();
    await visitflow.end();
    leave();
    await soon();
    assert.deepEqual(seen, { fetched: [], beacons: [], cookies: [], warned: [] });
    assert.equal((await visitflow.snapshot()).visitor_id, null);
    assert.equal((await visitflow("snapshot")).dropped, 2);
  }
});

test("consent fetches the companions from beside the script", async () => {
  const { visitflow, seen } = page({ consent: "pending" });
  visitflow("grant");
  await soon();
  assert.match(seen.fetched[0], /^https:\/\/stats\.example\/visitflow-[0-9a-f]{8}\.js$/);
});

test("a module that cannot find its tag waits for consent, and throws nothing into the page", async () => {
  const imported = Promise.reject(Error("not found"));
  imported.catch(() => {});
  const { visitflow, seen } = page({ consent: "granted" }, { module: true, tagless: true, imported });
  await soon();
  assert.deepEqual(seen, { fetched: [], beacons: [], cookies: [], warned: [] });
  visitflow("grant");
  await soon();
  assert.match(seen.fetched[0], /^https:\/\/shop\.example\/visitflow-[0-9a-f]{8}\.js$/);
  assert.deepEqual(seen.warned, ["visitflow: Error: not found"]);
});

test("a module, which is nobody's current script, finds its tag", async () => {
  const { seen } = page({ consent: "granted" }, { module: true });
  await soon();
  assert.match(seen.fetched[0], /^https:\/\/stats\.example\/visitflow-/);
});

test("of what the page calls before the WebAssembly is there, each that needs it says so to the built core", async () => {
  for (const [name, ...args] of [["event", "play"], ["order", { id: "1", amount: 1 }], ["pageView"], ["grant"], ["login", "a", "b"]]) {
    const calls = [];
    const imported = Promise.resolve({ default: (options) => (calls.push(options), new Promise(() => {})) });
    const { visitflow } = page({ consent: "granted" }, { imported });
    await soon();
    const before = JSON.stringify(calls[0]);
    visitflow(name, ...args);
    assert.notEqual(JSON.stringify(calls[0]), before, `${name} sets the option by which the core hears of it`);
  }
});

test("commands that a stub has queued are carried out", async () => {
  const before = stub + 'visitflow("grant");';
  const { seen } = page({}, { before });
  await soon();
  assert.equal(seen.fetched.length, 1);
});

test("a page that leaves early sends its view once", async () => {
  const { seen, leave } = page({ consent: "granted", cookieDomain: "example" });
  leave();
  leave();
  assert.equal(seen.beacons.length, 1);
  const [url, view] = seen.beacons[0];
  assert.equal(url, "https://stats.example/api/telemetry/page_view");
  assert.equal(view.url, "https://shop.example/landing");
  assert.equal(view.referrer, "https://search.example/");
  assert.ok(view.age_ms >= 0);
  assert.deepEqual(seen.cookies, [
    `visitor_id=${view.visitor_id}; Path=/; SameSite=Lax; Max-Age=31536000; Domain=example; Secure`,
  ]);
});

test("Global Privacy Control counts as denied, unless the page ignores it", async () => {
  const honoured = page({ consent: "granted" }, { gpc: true });
  honoured.visitflow.grant();
  const ignored = page({ consent: "granted", gpc: "ignore" }, { gpc: true });
  await soon();
  assert.equal((await honoured.visitflow.snapshot()).consent, "denied");
  assert.equal(honoured.seen.fetched.length, 0);
  assert.equal(ignored.seen.fetched.length, 1);
});

test("nothing is thrown into the page, and one line is said", async () => {
  const { visitflow, seen } = page({ consent: "pending" });
  visitflow.order();
  visitflow.pageView("http://[");
  const circle = {};
  circle.circle = circle;
  visitflow.event("play", circle);
  visitflow("no such command");
  assert.equal(seen.warned.length, 1);
});

test("a script whose companions do not come says what to do", async () => {
  const { visitflow, seen, leave } = page({ consent: "granted" }, { imported: Promise.reject(Error("blocked")) });
  await assert.rejects(visitflow("login", "ann", "secret"), /blocked, or offline/);
  leave(); // it names a visitor
  await assert.rejects(visitflow("revoke"), /blocked/);
  assert.deepEqual(seen.cookies.map((text) => text.split(";")[0]).slice(1), ["visitor_id="], "that is gone all the same");
  assert.equal(seen.warned.length, 1);
});

test("what a stub has queued is answered once the script is there", async () => {
  const before = stub + 'window.heard = [visitflow("snapshot"), visitflow("deny")];';
  const { visitflow, heard } = page({ consent: "pending" }, { before });
  assert.equal((await heard[0]).consent, "pending");
  assert.equal(await heard[1], undefined);
  assert.equal((await visitflow.snapshot()).consent, "denied");
});

test("a module under another file name finds its tag by the consent that it says", () => {
  const asked = [];
  page({ consent: "pending" }, { module: true, asked });
  assert.match(asked[0], /script\[data-consent\]/);
});
