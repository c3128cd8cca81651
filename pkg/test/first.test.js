// The first view, ahead of the WebAssembly: client-wasm/shell/first.js and early.js in a page made of stand-ins.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { confirm } from "../../client-wasm/shell/confirm.js";
import { setConsent } from "../../client-wasm/shell/consent.js";
import { watchEarly } from "../../client-wasm/shell/early.js";
import { sendFirst } from "../../client-wasm/shell/first.js";
import { drop } from "../../client-wasm/shell/kept.js";
import { setOptions } from "../../client-wasm/shell/options.js";
import { connect } from "../../client-wasm/shell/rust.js";
import { countAnew, isBegun, postStart, takeOver } from "../../client-wasm/shell/session.js";
import { leaveTitle, other, view } from "../../client-wasm/shell/views.js";
import { unname } from "../../client-wasm/shell/visitor.js";

const NOW = 1_790_000_000_000;
const jar = new Map();
let answers; // by path
let requests;

const stand = (name, value) => Object.defineProperty(globalThis, name, { configurable: true, writable: true, value });

stand("document", {
  title: "A page",
  referrer: "https://search.example/",
  get cookie() {
    return [...jar].map((pair) => pair.join("=")).join("; ");
  },
  set cookie(text) {
    const [, name, value] = /^(.*?)=(.*?);/.exec(text);
    if (/Max-Age=0/.test(text)) jar.delete(name);
    else jar.set(name, value);
  },
});
stand("location", new URL("https://shop.example/landing"));
stand("window", globalThis);
stand("self", globalThis);
stand("screen", { width: 800, height: 600 });
stand("innerWidth", 700);
stand("innerHeight", 500);
stand("navigator", {
  language: "en",
  locks: {
    request(name, run) {
      return run();
    },
  },
});
stand("history", { length: 1 });
stand("scrollY", 0);
document.hasFocus = () => true;
document.documentElement = { scrollHeight: 1000 };
window.navigation = new EventTarget();
const browser = new EventTarget();
stand("addEventListener", (...all) => browser.addEventListener(...all));
let page; // its options
let waitingNow; // its calls
// A beacon, too.
navigator.sendBeacon = (url, body) => requests.push([new URL(url).pathname, JSON.parse(body)]);
stand("fetch", async (url, { body }) => {
  await undefined;
  const { pathname } = new URL(url);
  requests.push([pathname, JSON.parse(body)]);
  const [status, then] = answers[pathname] ?? [204];
  then?.();
  return new Response(status == 204 ? null : "{}", { status });
});

const storage = {};
stand("localStorage", new Proxy(storage, {
  deleteProperty: (all, name) => delete all[name],
  get: (all, name) => ({ setItem: (key, value) => (all[key] = value), removeItem: (key) => delete all[key] })[name] ?? all[name],
}));

const VIEW = "/api/telemetry/page_view";
const paths = () => requests.map(([path]) => path);
const landing = () => ({
  name: "page_view", at: NOW, href: "https://shop.example/landing", given: { referrer: "https://search.example/" },
});

const options = (more) => ({
  endpoint: "https://shop.example", consent: "granted", visitorCookie: "visitor_id", activityCookie: "last_activity",
  autoPageViews: true, hurry() {}, complain() {}, listeners: new Set(), ...more,
});

/** A page that opens with this call; what waits. */
async function send(more = {}, call = landing()) {
  page?.early.abort();
  page = options({ early: new AbortController(), ...more });
  setOptions(page);
  leaveTitle();
  const waiting = (waitingNow = [call]);
  const sent = sendFirst(waiting).catch(() => {});
  watchEarly(waiting, sent, page.early.signal);
  await sent;
  return { call, waiting };
}

/** The page is left, before Rust is there. */
const leave = () => browser.dispatchEvent(new Event("pagehide"));

beforeEach(() => {
  jar.clear();
  for (const name in storage) delete storage[name];
  answers = {};
  requests = [];
});

test("a new visitor is named, and seen in full", async () => {
  let kept;
  answers[VIEW] = [204, () => (kept = { ...storage })];
  const { call } = await send();
  assert.deepEqual(paths(), [VIEW]);
  const [[, seen]] = requests;
  assert.match(seen.id, /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  assert.equal(parseInt(seen.id.slice(0, 13).replace("-", ""), 16), NOW);
  assert.equal(seen.visitor_id, jar.get("visitor_id"));
  assert.deepEqual([seen.sequence, seen.title, seen.referrer, seen.device.viewport_width], [1, "A page", "https://search.example/", 700]);
  assert.ok(jar.has("last_activity"));
  assert.ok(call.fact.stored);
  assert.deepEqual([kept, storage], [{}, {}], "storage is left alone while the page loads");
  assert.equal(call.fact.body.id, seen.id, "Rust takes it over by the same id");
});

test("a first view that the page drops is not sent, now or later", async () => {
  const { waiting } = await send({ shape: () => {} });
  assert.deepEqual([requests, waiting, [...jar]], [[], [], []], "and creates no visitor");
  leave();
  assert.deepEqual([paths(), [...jar]], [[], []]);
});

test("a view that the page drops is not numbered, and is no referrer", async () => {
  const shape = (_, body) => (/secret/.test(body.url) ? undefined : body);
  await send({ shape });
  const see = (path) => view({ at: NOW, href: "https://shop.example" + path, given: {} }, true);
  assert.equal(see("/secret"), undefined);
  const { sequence, referrer } = see("/next").body;
  assert.deepEqual([sequence, referrer], [2, "https://shop.example/landing"]);
});

test("a start tells no address where the page changes addresses", async () => {
  await send({ shape: (_, body) => body });
  requests = [];
  await postStart(1, true);
  const [[path, body]] = requests;
  assert.deepEqual([path, body.url, body.referrer], ["/api/session/start", undefined, undefined]);
});

test("a visit that was begun is known to the next page", async () => {
  await send();
  leave();
  assert.deepEqual(storage, { "visitflow.views": 1, "visitflow.begun": 1 });
});

test("a session that is alive goes on counting", async () => {
  await send();
  leave();
  await send();
  const views = requests.filter(([path]) => path == VIEW);
  assert.deepEqual(views.map(([, { sequence }]) => sequence), [1, 2]);
});

test("a new visit counts from one", async () => {
  storage["visitflow.views"] = 7;
  await send();
  leave();
  assert.equal(requests[0][1].sequence, 1);
  assert.equal(storage["visitflow.views"], 1);
});

test("a page that is not shown any more keeps a view that is under way, until there is an answer", async () => {
  let kept;
  answers[VIEW] = [204, () => {
    leave();
    kept = Object.keys(storage);
  }];
  const { call } = await send();
  assert.deepEqual(kept, ["visitflow:" + call.fact.key]);
  assert.deepEqual(storage, {});
  leave();
  assert.deepEqual(storage, { "visitflow.views": 1, "visitflow.begun": 1 });
});

/** Leaves the page while beacons fail, and returns what they carried, by kind. */
const leaveOffline = () => {
  const { sendBeacon } = navigator;
  const carried = [];
  navigator.sendBeacon = (url, body) => !!carried.push(...JSON.parse(body).map((fact) => [new URL(url).pathname.split("/").pop(), fact.id]));
  leave();
  navigator.sendBeacon = sendBeacon;
  return carried;
};

const order = () => ({ name: "order", at: NOW, href: "https://shop.example/", given: { id: "A-1", amount: "5.00", currency: "EUR" } });
const play = () => ({ name: "event", at: NOW, href: "https://shop.example/", given: { name: "play" } });

test("an order and an event that a beacon carried are kept, and Rust sends them again by the same ids", async () => {
  const { waiting } = await send();
  waiting.push(order(), play());
  const carried = leaveOffline();
  assert.deepEqual(carried.map(([kind]) => kind), ["order", "event"]);
  const kept = Object.keys(storage).filter((key) => /:/.test(key)).map((key) => JSON.parse(storage[key]));
  assert.deepEqual(kept.map(({ path, body }) => [path.split("/").pop(), body.id]), carried);
  assert.deepEqual(waiting.map(({ name }) => name), ["page_view", "order", "event"], "the page may come back");
  assert.deepEqual(waiting.slice(1).map((call) => other(call).body.id), carried.map(([, id]) => id));
});

test("a view that a beacon carried keeps its id and its number when Rust takes it over", async () => {
  const { waiting } = await send();
  waiting.push({ ...landing(), href: "https://shop.example/next", given: {} });
  const [[, id]] = leaveOffline();
  leaveOffline();
  const { key, body } = view(waiting[1], true);
  assert.deepEqual([key, body.sequence, body.referrer], [id, 2, "https://shop.example/landing"]);
});

test("a call that a beacon carried is confirmed once Rust has its answer", async () => {
  const { waiting } = await send();
  const call = order();
  waiting.push(call);
  leaveOffline();
  const heard = [];
  confirm((error) => heard.push(error), call);
  const fact = other(call); // the page is back
  fact.answer = { status: 204 };
  drop(fact);
  assert.deepEqual([heard, Object.keys(storage).filter((key) => /:/.test(key))], [[false], []]);
});

test("without consent nothing that was told is kept when the page is left", async () => {
  const { waiting } = await send({ consent: "pending", beforeConsent: "anonymous" });
  waiting.push(play());
  leave();
  assert.deepEqual([storage, waiting.map(({ name }) => name)], [{}, ["event"]]);
});

test("once Rust is there, it alone stores", async () => {
  await send();
  startRust("granted");
  storage["visitflow.views"] = 5;
  leave();
  assert.equal(storage["visitflow.views"], 5);
  answers[VIEW] = [503];
  jar.clear();
  await send();
  startRust("granted");
  for (const name in storage) delete storage[name]; // Rust has sent it
  leave();
  assert.deepEqual(storage, {});
});

test("a view that is not answered is given up", async (test) => {
  test.mock.timers.enable({ apis: ["setTimeout"] });
  const { fetch } = globalThis;
  globalThis.fetch = (url, { signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  try {
    const sent = send();
    test.mock.timers.tick(20_000);
    const { call } = await sent;
    assert.equal(call.fact.stored, false);
  } finally {
    globalThis.fetch = fetch;
  }
});

const nothing = () => {};
/** As wired.js of the package does. */
const startRust = (consent, { call } = {}) => {
  page.early.abort();
  setOptions(Object.assign(page, { consent }));
  connect(nothing, nothing, nothing, nothing);
  takeOver(call?.fact.stored);
};

test("Rust asks for a start where the visit was begun ahead of it, and numbers on", async () => {
  answers["/api/session/start"] = [200];
  await send();
  leave();
  await send(); // another page, before Rust is there
  leave();
  startRust("pending");
  assert.ok(jar.has("last_activity"));
  assert.ok(!isBegun());
  startRust("granted");
  assert.ok(!jar.has("last_activity"));
  assert.ok(isBegun());
  countAnew(); // as Rust does with the start
  assert.equal(storage["visitflow.views"], 2);
  await postStart(1, true);
  assert.deepEqual([isBegun(), storage["visitflow.begun"]], [false, undefined]);
  countAnew(); // with the next session
  assert.equal(storage["visitflow.views"], 0);
});

test("until that start is answered, other tabs number on, too", async () => {
  answers["/api/session/start"] = [503];
  startRust("granted", await send());
  countAnew();
  await postStart(1, true);
  assert.equal(storage["visitflow.begun"], 1);
});

test("a visit that was begun ahead long ago is none", async () => {
  await send();
  leave();
  jar.delete("last_activity");
  startRust("granted");
  countAnew();
  assert.equal(storage["visitflow.views"], 0);
});

test("an answer that comes when Rust is there already touches nothing", async () => {
  answers[VIEW] = [204, () => {
    waitingNow.splice(0);
    startRust("granted");
    storage["visitflow.views"] = 3;
    for (const name in storage) if (/:/.test(name)) delete storage[name]; // Rust has sent it
  }];
  await send();
  leave();
  assert.deepEqual([storage["visitflow.views"], storage["visitflow.begun"], jar.has("last_activity")], [3, undefined, false]);
});

test("what is not stored is left to be sent again, and kept", async () => {
  answers[VIEW] = [503];
  const { call } = await send();
  assert.equal(call.fact.stored, false);
  leave();
  assert.ok(Object.keys(storage).some((key) => key.endsWith(call.fact.key)));
  assert.ok(!jar.has("last_activity"));
});

test("a visitor who took consent back in another tab is nobody", async () => {
  const { call } = await send({ known: true });
  assert.deepEqual([paths(), [...jar], call.fact], [[], [], undefined]);
});

test("without consent nothing goes ahead, and no manual view does", async () => {
  for (const consent of ["pending", "denied"]) await send({ consent, beforeConsent: "anonymous" });
  await send({}, { name: "page_view", at: NOW, href: "https://shop.example/", given: { url: "https://shop.example/other" } });
  await send({}, { name: "event", at: NOW, href: "https://shop.example/", given: { name: "play" } });
  assert.deepEqual([paths(), [...jar]], [[], []]);
});

test("consent taken back meanwhile ends what the answer began, and the view is nobody's", async () => {
  answers[VIEW] = [204, () => jar.clear()];
  const { call } = await send();
  assert.deepEqual(paths(), [VIEW, "/api/session/forget"]);
  assert.ok(call.fact.stored, "it does not go again");
  leave();
  assert.deepEqual([...jar], []);
  assert.deepEqual([storage["visitflow.views"], storage["visitflow.begun"]], [undefined, undefined]);
});

test("consent taken back when Rust is there already is not undone by a late answer", async () => {
  answers[VIEW] = [204, () => {
    waitingNow.splice(0);
    unname(true);
  }];
  await send();
  assert.deepEqual(paths(), [VIEW, "/api/session/forget"]);
  assert.deepEqual([[...jar], storage["visitflow.begun"]], [[], undefined]);
});

test("consent taken back before Rust is there leaves nothing in storage", async () => {
  await send();
  setConsent("denied"); // here, where the loader has deleted the cookies
  leave();
  assert.deepEqual(storage, {});
  jar.clear();
  await send();
  jar.clear(); // by another tab
  leave();
  assert.deepEqual(storage, {});
});

test("consent given anew in another tab is not ended with the old one", async () => {
  const other = "v_" + crypto.randomUUID();
  answers[VIEW] = [204, () => jar.set("visitor_id", other)];
  await send();
  assert.deepEqual(paths(), [VIEW]);
  assert.equal(jar.get("visitor_id"), other);
});

test("what went ahead in full is no anonymous view, nor is the page seen twice", async () => {
  const { call } = await send();
  assert.equal(view(call, false), undefined);
  assert.equal(view(call, true), call.fact);
});

test("taking over a view that is stored counts nothing", async () => {
  const { call } = await send();
  leave();
  await send(); // another tab
  view(call, true);
  requests = [];
  await send();
  assert.equal(requests[0][1].sequence, 3);
});

test("what went ahead for another visitor is nobody's view", async () => {
  const { call } = await send();
  jar.clear();
  await send(); // names another
  assert.equal(view(call, true), undefined);
});

test("a view that Rust has taken meanwhile does not go ahead", async () => {
  const { locks } = navigator;
  navigator.locks = { request: async (name, run) => (waitingNow.splice(0), run()) };
  try {
    await send();
    assert.deepEqual([paths(), [...jar]], [[], []]);
  } finally {
    navigator.locks = locks;
  }
});

test("tabs that name the visitor at the same moment agree on the first name that was written", async () => {
  const other = "v_" + crypto.randomUUID();
  jar.set("visitor_id" + other, other); // of a tab that is about to write the visitor's cookie
  await send();
  assert.equal(requests[0][1].visitor_id, other);
  assert.deepEqual([...jar.keys()].sort(), ["last_activity", "visitor_id", "visitor_id" + other], "its own is gone");
});

test("a cookie by the visitor's name that is no visitor is replaced, if it may be ours", async () => {
  for (const broken of ["v_12345", ""]) {
    jar.set("visitor_id", broken);
    await send();
    assert.match(requests.at(-1)[1].visitor_id, /^v_[\da-f-]{36}$/);
    assert.equal(jar.get("visitor_id"), requests.at(-1)[1].visitor_id);
  }
});

test("a cookie by the visitor's name that another application has written is left alone, and Rust is waited for", async () => {
  const said = [];
  jar.set("visitor_id", "customer-7");
  const { call } = await send({ complain: (text) => said.push(text) });
  assert.deepEqual([paths(), jar.get("visitor_id"), call.fact], [[], "customer-7", undefined]);
  assert.match(said[0], /cookieNames/);
});

test("a title that was cut within a character is text all the same", async () => {
  document.title = "Shoes \ud83d";
  try {
    await send();
    assert.equal(requests[0][1].title, "Shoes \ufffd");
  } finally {
    document.title = "A page";
  }
});

test("where cookies do not stick nothing goes ahead", async () => {
  const { set } = jar;
  jar.set = () => {};
  try {
    const { call } = await send();
    assert.deepEqual([paths(), call.fact], [[], undefined]);
    jar.clear();
    jar.set = (name, value) => name == "visitor_id" || set.call(jar, name, value); // of the site, for servers alone
    await send();
    assert.deepEqual([paths(), [...jar]], [[], []]);
  } finally {
    jar.set = set;
  }
});

test("where all tabs read the same cookies nobody waits for a lock", async () => {
  navigator.userAgentData = {};
  const { locks } = navigator;
  delete navigator.locks;
  try {
    await send();
    assert.deepEqual(paths(), [VIEW]);
  } finally {
    delete navigator.userAgentData;
    navigator.locks = locks;
  }
});
