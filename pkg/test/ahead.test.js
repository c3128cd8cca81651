// The first view, ahead of the WebAssembly: client-wasm/src/browser/host.js in a page made of stand-ins.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ahead, begin, countAnew, view } from "../../client-wasm/src/browser/host.js";

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
// A beacon, too.
navigator.sendBeacon = (url, body) => requests.push([new URL(url).pathname, JSON.parse(body)]);
stand("fetch", async (url, { body }) => {
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
const landing = () => ["page_view", NOW, "https://shop.example/landing", { referrer: "https://search.example/" }];

async function send(more = {}, call = landing()) {
  const options = { endpoint: "https://shop.example", consent: "granted", complain() {}, ...more };
  await ahead(options, () => call);
  return { call, options };
}

beforeEach(() => {
  jar.clear();
  for (const name in storage) delete storage[name];
  answers = {};
  requests = [];
});

test("a new visitor is named, and seen in full", async () => {
  const { call } = await send();
  assert.deepEqual(paths(), [VIEW]);
  const [[, seen]] = requests;
  assert.match(seen.id, /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  assert.equal(parseInt(seen.id.slice(0, 13).replace("-", ""), 16), NOW);
  assert.equal(seen.visitor_id, jar.get("visitor_id"));
  assert.deepEqual([seen.sequence, seen.title, seen.referrer, seen.device.viewport_width], [1, "A page", "https://search.example/", 700]);
  assert.ok(jar.has("last_activity"));
  assert.deepEqual([call[4], call[5].sent], [true, true]);
  assert.deepEqual(storage, { "visitflow.views": 1, "visitflow.begun": 1 }, "nothing waits any more");
  assert.equal(call[3].id, seen.id, "a page that leaves early sends it by the same id");
});

test("a session that is alive goes on counting", async () => {
  await send();
  await send();
  assert.deepEqual(requests.map(([, { sequence }]) => sequence), [1, 2]);
});

test("a view that is out is stored before anything is kept", async () => {
  storage["visitflow.views"] = 7;
  let kept;
  answers[VIEW] = [204, () => (kept = { ...storage })];
  await send();
  assert.equal(requests[0][1].sequence, 1);
  assert.deepEqual(kept, { "visitflow.views": 7 });
  assert.equal(storage["visitflow.views"], 1);
});

test("Rust asks for a start where the visit was begun ahead of it, and numbers on", async () => {
  await send();
  await send(); // another page, before Rust is there
  begin({ consent: "pending" }, ...Array(3).fill(() => {}));
  assert.ok(jar.has("last_activity"));
  begin({ consent: "granted" }, ...Array(3).fill(() => {}));
  assert.ok(!jar.has("last_activity"));
  countAnew(); // as Rust does with the start
  assert.equal(storage["visitflow.views"], 2);
  countAnew();
  assert.equal(storage["visitflow.views"], 0);
});

test("what is not stored is left to be sent again, and kept", async () => {
  answers[VIEW] = [503];
  const { call } = await send();
  assert.equal(call[4], false);
  assert.ok(Object.keys(storage).some((key) => key.endsWith(call[5].key)));
  assert.ok(!jar.has("last_activity"));
});

test("a visitor who took consent back in another tab is nobody", async () => {
  const { call } = await send({ known: true });
  assert.deepEqual([paths(), [...jar], call.length], [[], [], 4]);
});

test("without consent nothing goes ahead, and no manual view does", async () => {
  for (const consent of ["pending", "denied"]) await send({ consent, beforeConsent: "anonymous" });
  await send({}, ["page_view", NOW, "https://shop.example/", { url: "https://shop.example/other" }]);
  await send({}, ["event", NOW, "https://shop.example/", { name: "play" }]);
  assert.deepEqual([paths(), [...jar]], [[], []]);
});

test("consent taken back meanwhile ends what the answer began", async () => {
  answers[VIEW] = [204, () => jar.clear()];
  const { call } = await send();
  assert.deepEqual(paths(), [VIEW, "/api/session/end"]);
  assert.deepEqual(call, landing(), "as if it had never gone");
  assert.deepEqual([...jar], []);
});

test("consent given anew in another tab is not ended with the old one", async () => {
  const other = "v_" + crypto.randomUUID();
  answers[VIEW] = [204, () => jar.set("visitor_id", other)];
  await send();
  assert.deepEqual(paths(), [VIEW]);
  assert.equal(jar.get("visitor_id"), other);
});

test("what went ahead in full is no anonymous view", async () => {
  const { call } = await send();
  const anonymous = view("key", NOW, false, { url: call[2], ahead: call[5] });
  assert.equal(anonymous.body.anonymous, true);
  assert.equal(anonymous.body.device, undefined);
  assert.equal(view("key", NOW, true, { ahead: call[5] }), call[5]);
});

test("taking over a view that is stored counts nothing", async () => {
  const { call } = await send();
  await send(); // another tab
  view("key", NOW, true, { ahead: call[5] });
  requests = [];
  await send();
  assert.equal(requests[0][1].sequence, 3);
});

test("what went ahead for another visitor is not this one's view", async () => {
  const { call } = await send();
  jar.clear();
  await send(); // names another
  const fresh = view("key", NOW, true, { url: call[2], ahead: call[5] });
  assert.equal(fresh.key, "key");
});

test("a client that was not kept waiting sends the view itself", async () => {
  await assert.rejects(ahead({ endpoint: "https://shop.example", consent: "granted" }, () => undefined));
  assert.deepEqual([paths(), [...jar]], [[], []]);
});
