// The small files of the shell, each by itself. (first.js and early.js: first.test.js; consent.js: rules.test.js;
// address.js: address.test.js.)

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { isGranted, isIgnored } from "../../client-wasm/shell/consent.js";
import { deleteCookie, isTaken, readCookie, readOwn, writeCookie } from "../../client-wasm/shell/cookies.js";
import { make, text } from "../../client-wasm/shell/facts.js";
import { keyAt, uuid } from "../../client-wasm/shell/ids.js";
import { json } from "../../client-wasm/shell/json.js";
import { adopt, drop, dropKept, keep } from "../../client-wasm/shell/kept.js";
import { count, countAhead, next, storeAhead, uncount, wasBegun } from "../../client-wasm/shell/numbers.js";
import { isOn, setOptions } from "../../client-wasm/shell/options.js";
import { beacon, beaconFacts, post } from "../../client-wasm/shell/requests.js";
import { catchUp, entryAddress, land, seeAnew, watchRoutes } from "../../client-wasm/shell/routes.js";
import { denied } from "../../client-wasm/shell/page.js";
import { connect, tell } from "../../client-wasm/shell/rust.js";
import { serially } from "../../client-wasm/shell/serial.js";
import { sticks } from "../../client-wasm/shell/sticks.js";
import { forgetEverywhere } from "../../client-wasm/shell/tabs.js";
import { leaveTitle, makeView } from "../../client-wasm/shell/views.js";

const stand = (globals) => {
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { configurable: true, writable: true, value });
  }
};

let jar, written, storage, sent, said, answer, taken;

beforeEach(() => {
  [jar, written, storage, sent, said, taken] = [new Map(), [], {}, [], [], true];
  answer = async () => new Response(null, { status: 204 });
  setOptions({
    endpoint: "https://stats.example", consent: "granted", visitorCookie: "visitor_id", activityCookie: "last_activity",
    listeners: new Set(), complain: (text) => said.push(text),
  });
  const kept = { setItem: (key, value) => (storage[key] = String(value)), removeItem: (key) => delete storage[key] };
  stand({
    document: {
      title: "A page", referrer: "",
      get cookie() {
        return [...jar].map((pair) => pair.join("=")).join("; ");
      },
      set cookie(text) {
        written.push(text);
        const [, name, value] = /^(.+?)=(.*?);/.exec(text);
        if (/Max-Age=0/.test(text)) jar.delete(name);
        else jar.set(name, value);
      },
    },
    location: new URL("https://shop.example/a"),
    localStorage: new Proxy(storage, { get: (all, name) => kept[name] ?? all[name] }),
    navigator: { sendBeacon: (url, body) => taken && sent.push(["beacon", new URL(url).pathname, body]) },
    fetch: (url, { body }) => (sent.push(["fetch", new URL(url).pathname, body]), answer()),
    history: { length: 1 },
    screen: {}, innerWidth: 1, innerHeight: 1, self: globalThis, window: globalThis,
  });
});

test("an option is on unless it is missing or says false", () => {
  for (const option of [true, "", "true", 1]) assert.ok(isOn(option));
  for (const option of [false, "false", undefined, null]) assert.ok(!isOn(option));
});

test("identifiers are of their versions, with and without the function for it, and grow", () => {
  const v4 = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
  assert.match(uuid(), v4);
  const { crypto } = globalThis;
  stand({ crypto: { getRandomValues: (all) => crypto.getRandomValues(all) } });
  try {
    assert.match(uuid(), v4, "on plain HTTP");
  } finally {
    stand({ crypto });
  }
  const keys = [keyAt(5), keyAt(5), keyAt(3)];
  assert.deepEqual(keys.toSorted(), keys);
});

test("JSON is well-formed text, and a page's own toJSON of arrays is left as it was", () => {
  assert.match(text({ at: 0, body: { a: ["x\ud83d"] } }), /^\{"a":\["x\ufffd"\]/);
  const theirs = () => "theirs";
  Array.prototype.toJSON = theirs;
  try {
    assert.equal(json([1, [2]]), "[1,[2]]");
    assert.equal(Array.prototype.toJSON, theirs);
  } finally {
    delete Array.prototype.toJSON;
  }
  const circle = [];
  circle.push(circle);
  assert.throws(() => json(circle));
});

test("a cookie of our form is ours, and another is left alone", () => {
  jar.set("visitor_id", "customer-7").set("last_activity", "17");
  assert.ok(isTaken("visitor_id") && !isTaken("last_activity"));
  assert.deepEqual([readOwn("visitor_id"), readOwn("last_activity"), readCookie("activity")], [undefined, "17", undefined]);
  writeCookie("visitor_id", "v_1", 9);
  deleteCookie("visitor_id");
  assert.deepEqual([jar.get("visitor_id"), written], ["customer-7", []]);
  assert.ok(!sticks("visitor_id", "v_1", 9));
  assert.match(said[0], /another application's/);
});

test("names of cookies are no patterns, and values beyond ASCII disturb nobody", () => {
  jar.set("city", "Köln").set("a.b", "1").set("axb", "2");
  assert.equal(readCookie("a.b"), "1");
  assert.equal(readCookie("city"), "Köln");
});

test("a cookie is deleted with and without its domain", () => {
  setOptions({ visitorCookie: "visitor_id", cookieDomain: "shop.example" });
  jar.set("visitor_id", "v_1");
  deleteCookie("visitor_id");
  assert.deepEqual(written.map((text) => /Domain=([^;]*)/.exec(text)[1]), ["shop.example", ""]);
});

test("Secure is left out where a loopback page cannot have it, and nowhere else", () => {
  const { set } = jar;
  jar.set = (name, value) => (/Secure/.test(written.at(-1)) ? jar : set.call(jar, name, value));
  assert.ok(!sticks("visitor_id", "v_1", 9));
  assert.equal(written.length, 1);
  stand({ location: new URL("http://127.0.0.1/") });
  assert.ok(sticks("visitor_id", "v_1", 9));
  jar.set = set;
});

test("a visit that begins ahead is counted without storage, until that may be asked", () => {
  storage["visitflow.views"] = "7";
  countAhead();
  assert.deepEqual([next(), next(), storage["visitflow.views"]], [1, 2, "7"]);
  storeAhead(true);
  assert.deepEqual([storage["visitflow.views"], wasBegun(), next()], [2, 1, 3]);
  uncount();
  assert.deepEqual([storage, next()], [{ "visitflow.views": 1 }, 1]);
  count(0);
});

test("a fact has its id, and when it is sent its visitor and its age, which is not negative and no more than a week", () => {
  const fact = make("event", 1_790_000_000_000, { name: "play" });
  assert.deepEqual([fact.path, fact.body.id, fact.body.name], ["/api/telemetry/event", fact.key, "play"]);
  assert.deepEqual(JSON.parse(text({ at: Date.now() + 60_000, body: {} }, "v_1")), { visitor_id: "v_1", age_ms: 0 });
  assert.equal(JSON.parse(text({ at: 0, body: {} })).age_ms, 604_800_000);
});

test("a post resolves with the answer, and with 0 where none comes", async () => {
  answer = async () => new Response('{"detail":"Mend it."}', { status: 400, headers: { "Retry-After": "2" } });
  assert.deepEqual(await post("/a", "{}"), { status: 400, after: 2000, body: { detail: "Mend it." } });
  answer = () => Promise.reject(new TypeError("Failed to fetch"));
  assert.deepEqual(await post("/a", "{}"), { status: 0, after: 0 });
  answer = () => {
    throw new Error("of the page");
  };
  assert.deepEqual(await post("/a", "{}"), { status: 0, after: 0 });
});

test("what no beacon takes goes by fetch", () => {
  beacon("/a", "1");
  taken = false;
  beacon("/b", "2");
  assert.deepEqual(sent, [["beacon", "/a", "1"], ["fetch", "/b", "2"]]);
});

test("facts go in arrays that the server and the browser take", () => {
  const facts = (count, more) => Array.from({ length: count }, () => make("event", 1, { name: "x", ...more }));
  beaconFacts(facts(101));
  assert.deepEqual(sent.map(([, , body]) => JSON.parse(body).length), [100, 1]);
  sent = [];
  beaconFacts([...facts(3, { props: { long: "x".repeat(9000) } }), make("order", 1, {})]);
  assert.deepEqual(sent.map(([, path, body]) => [path.split("/").pop(), JSON.parse(body).length]), [["event", 2], ["event", 1], ["order", 1]]);
});

test("what is kept is adopted a minute later by its visitor alone", async () => {
  const adopted = [];
  connect(() => {}, () => {}, (fact, isOrder) => adopted.push([fact.body.id, isOrder]), () => {});
  const line = (claimed, visitor, id, path = "/api/telemetry/order") => JSON.stringify({ claimed, visitor, path, at: 1, body: { id } });
  storage["visitflow:a"] = line(0, undefined, "a");
  storage["visitflow:b"] = line(Date.now(), undefined, "b");
  storage["visitflow:c"] = line(0, "v_another", "c");
  storage["visitflow:d"] = "of another version";
  adopt();
  await undefined;
  assert.deepEqual(adopted, [["a", true]]);
  assert.deepEqual(Object.keys(storage), ["visitflow:a", "visitflow:b", "visitflow:d"]);
  const fact = make("event", 1, {});
  keep(fact);
  assert.ok(storage["visitflow:" + fact.key]);
  drop(fact);
  keep(fact);
  dropKept();
  assert.deepEqual(Object.keys(storage), ["visitflow:b", "visitflow:d"], "those of this page");
  stand({ BroadcastChannel: undefined });
  Object.assign(storage, { visitflow_consent: "denied", theirs: "x" });
  forgetEverywhere();
  assert.deepEqual(Object.keys(storage), ["visitflow_consent", "theirs"]);
});

test("one thing happens at a time, in order, and one that throws stops no other", () => {
  const order = [];
  serially(() => {
    serially(() => order.push("second"));
    order.push("first");
    throw new Error("of the page");
  });
  assert.deepEqual(order, ["first", "second"]);
  const heard = [];
  connect((what) => heard.push(what), () => {}, () => {}, () => {});
  tell(3);
  assert.deepEqual(heard, [3]);
});

/** A page with the Navigation API, or without it. */
function routed(navigates) {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_790_000_000_000 });
  const target = new EventTarget();
  const told = [];
  const go = (to, type) => {
    location = new URL(to, location);
    if (navigates) navigation.dispatchEvent(Object.assign(new Event("currententrychange"), { navigationType: type }));
  };
  stand({
    navigation: navigates ? new EventTarget() : undefined,
    history: Object.create({ length: 1, pushState: (_, __, to) => go(to, "push"), replaceState: (_, __, to) => go(to, "replace") }),
    addEventListener: (...all) => target.addEventListener(...all),
  });
  const controller = new AbortController();
  land("https://shop.example/a");
  leaveTitle();
  makeView({ at: 1, href: "https://shop.example/a", given: {} }, false);
  watchRoutes((call) => told.push([new URL(call.href).pathname, makeView(call, true).body.title ?? "none"]), controller.signal);
  return {
    told,
    push: (to) => history.pushState(null, "", to),
    replace: (to) => history.replaceState(null, "", to),
    pass: (ms) => mock.timers.tick(ms),
    event: (name, more) => target.dispatchEvent(Object.assign(new Event(name), more)),
    end() {
      controller.abort();
      mock.timers.reset();
    },
  };
}

for (const navigates of [true, false]) {
  const how = navigates ? "with the Navigation API" : "where the history is wrapped";

  test(`a route is a view once it has stood, with the title of its own page, ${how}`, () => {
    const { told, push, replace, pass, end } = routed(navigates);
    push("/b");
    pass(60);
    document.title = "B";
    replace("/b?scroll=1"); // as routers do, after the title
    pass(299);
    assert.deepEqual(told, []);
    pass(1);
    push("/c"); // the title comes too late
    pass(300);
    document.title = "C";
    push("/d");
    pass(300);
    assert.deepEqual(told, [["/b", "B"], ["/c", "none"], ["/d", "none"]]);
    end();
  });

  test(`what does not stand is no view, nor is the address that it began with, ${how}`, () => {
    const { told, push, replace, pass, end } = routed(navigates);
    for (let at = 0; at < 60; at++) {
      replace("/map/" + at);
      pass(10);
    }
    push("/a");
    pass(300);
    replace("/a?sort=up");
    pass(300);
    assert.deepEqual(told, []);
    push("/a?page=2");
    pass(300);
    assert.deepEqual(told.map(([path]) => path), ["/a"]);
    end();
  });

  test(`a route counts at once where the page is left, and not once watching has ended, ${how}`, () => {
    const { told, push, pass, event, end } = routed(navigates);
    push("/b");
    event("pagehide");
    assert.deepEqual(told, [["/b", "none"]]);
    push("/c");
    end();
    assert.equal(Object.hasOwn(history, "pushState"), false);
    assert.equal(told.length, 1);
    void pass;
  });

  test(`a page from the back/forward cache is a view with its own title, ${how}`, () => {
    const { told, event, end } = routed(navigates);
    event("pageshow", { persisted: true });
    event("pageshow", { persisted: false });
    assert.deepEqual(told, [["/a", "A page"]]);
    end();
  });
}

test("after another consent the page that the visitor is at is a view again, with its title", () => {
  const { told, end } = routed(true);
  catchUp((call) => told.push(["none"]), false);
  seeAnew();
  catchUp((call) => told.push([makeView(call, true).body.title]), false);
  assert.deepEqual(told, [["A page"]]);
  end();
});

test("ignoring a browser denies consent without calling the consent listeners", () => {
  const heard = [];
  setOptions({ consent: "granted", listeners: new Set([(consent) => heard.push(consent)]) });
  assert.equal(isIgnored(), false);
  jar.set("visitflow_ignore", "1");
  assert.equal(isIgnored(), true);
  denied();
  assert.deepEqual([heard, isGranted()], [[], false]);
  jar.clear();
  setOptions({ consent: "granted", listeners: new Set([(consent) => heard.push(consent)]) });
  denied();
  assert.deepEqual(heard, ["denied"]);
});

test("where the page has gone before it was watched, it is caught up with", () => {
  const { told, end } = routed(true);
  location = new URL("https://shop.example/z");
  const then = [];
  catchUp((call) => then.push(call.href), true);
  catchUp((call) => then.push(call.href), true);
  assert.deepEqual([then, told, entryAddress()], [["https://shop.example/z"], [], "https://shop.example/a"]);
  end();
});
