// What src/client.js does with calls while the WebAssembly is on its way, or does not come.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "../src/client.js";
import session from "../src/session.js";
import { setOptions } from "../../client-wasm/shell/options.js";

globalThis.VERSION = "0.0.0";
const soon = () => new Promise((resolve) => setTimeout(resolve, 5));
const visitor = "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80";

/** A page of stand-ins; `arrive()` brings the WebAssembly, `fail()` says that it will not come. */
function page(options, { cookies = {}, remembered, forbidden, frame = null, href = "https://shop.example/landing" } = {}) {
  setOptions(undefined); // another page
  const seen = { calls: [], beacons: [], told: [], others: 0, loads: 0, reads: 0, written: [], warned: [] };
  const listeners = {};
  const jar = new Map(Object.entries(cookies));
  const kept = { "visitflow:1": "[]", other: "x", ...(remembered && { visitflow_consent: remembered }) };
  Object.defineProperty(kept, "removeItem", { value: (key) => delete kept[key] });
  let settle;
  const globals = {
    frameElement: frame,
    document: {
      referrer: "",
      get cookie() {
        if (forbidden) throw new Error("SecurityError");
        seen.reads++;
        return [...jar].map((pair) => pair.join("=")).join("; ");
      },
      set cookie(text) {
        seen.written.push(text);
        const [, name, value] = /^(.+?)=(.*?);/.exec(text);
        if (/Max-Age=0/.test(text)) jar.delete(name);
        else jar.set(name, value);
      },
    },
    location: new URL(href),
    navigator: {
      sendBeacon: (url, body) => {
        seen.beacons.push([new URL(url).pathname, JSON.parse(body)]);
        return true;
      },
    },
    localStorage: kept,
    BroadcastChannel: class {
      postMessage() {
        seen.others++;
      }
      close() {}
    },
    fetch: async (url, { body, credentials }) => {
      seen.beacons.push([new URL(url).pathname, JSON.parse(body)]);
      seen.credentials = credentials;
      return new Response(null, { status: 204 });
    },
    addEventListener: (name, run) => (listeners[name] = run),
    console: { ...console, warn: (...words) => void seen.warned.push(words.join(" ")) },
  };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { configurable: true, value });
  }
  // session.js is there; the WebAssembly comes when the test wants it to.
  const load = async (what, options, ...all) => {
    if (what) return session(options, ...all);
    seen.loads++;
    seen.options = options;
    [seen.waiting] = all;
    return new Promise((resolve, reject) => (settle = { resolve, reject }));
  };
  const core = {
    init: ({ consent }, calls) => {
      seen.options.hurry = () => {}; // as the shell does once it is there
      seen.calls.push(["init", consent]);
      calls.forEach(core.tell);
    },
    tell: ({ name, given }) => {
      seen.told.push({ name, given });
      seen.calls.push([name, given.url?.replace("https://shop.example", "") ?? given.name ?? given.id ?? "landing"]);
    },
    call: async (name, ...args) => {
      seen.calls.push([name]);
      if (name === "grant") args[0].forEach(core.tell);
    },
    snapshot: (dropped) => ({ dropped }),
  };
  const client = create(load, "https://stats.example");
  client.init(options);
  return {
    client, seen, jar, kept, core,
    leave: () => listeners.pagehide?.(),
    seenConsent: async () => {
      if (seen.loads) settle.reject(new TypeError("Failed to fetch"));
      return (await client.snapshot()).consent;
    },
    arrive: async () => {
      await soon();
      settle.resolve(core);
      await soon();
    },
    fail: async () => {
      await soon();
      settle.reject(new TypeError("Failed to fetch"));
      await soon();
    },
    calls: () => seen.calls.map((call) => call.join(" ")).join(", "),
  };
}

test("once loaded, every call is made at once and in order", async () => {
  const { client, arrive, calls } = page({ consent: "granted" });
  await arrive();
  client.event("a");
  const revoked = client.revoke();
  client.event("b");
  client.grant();
  client.login("ann", "secret");
  client.deny();
  assert.equal(calls(), "init granted, page_view landing, event a, revoke, grant, login, revoke");
  await revoked;
});

test("before that, facts come first and then what waits for an answer, each in order", async () => {
  const { client, arrive, calls } = page({ consent: "granted" });
  client.event("a");
  client.login("ann", "secret");
  client.event("b");
  client.logout();
  client.end();
  client.pageView("/shoes");
  await arrive();
  assert.equal(
    calls(),
    "init granted, page_view landing, event a, event b, page_view /shoes, login, logout, end",
  );
});

test("a page that is left before its word about facts is there sends none of them", async () => {
  for (const word of [{ before: (fact) => fact }, { query: [] }, { exclude: "/admin" }]) {
    const { leave, seen } = page({ consent: "granted", ...word });
    leave();
    assert.deepEqual(seen.beacons, []);
  }
});

test("what returns nothing by its type returns nothing", async () => {
  const { client } = page({ consent: "granted" });
  assert.deepEqual([client.event("a"), client.pageView(), client.grant(), client.deny()], Array(4).fill(undefined));
});

test("a revoke voids what waits, and nothing of after it is sent", async () => {
  const { client, arrive, calls } = page({ consent: "granted" });
  client.event("before");
  client.login("ann", "secret");
  const revoked = client.revoke();
  client.event("after");
  await arrive();
  await revoked;
  assert.equal(calls(), "init denied, login");
  assert.equal((await client.snapshot()).dropped, 2);
});

test("a revoke and then a grant is a new consent, and the landing page is its first view", async () => {
  for (const late of [false, true]) {
    const { client, arrive, calls } = page({ consent: "granted" });
    client.event("before");
    client.revoke();
    if (late) await arrive();
    client.grant();
    client.event("after");
    if (!late) await arrive();
    assert.equal(calls(), (late ? "init denied, grant" : "init granted") + ", page_view landing, event after");
  }
});

test("a denial of what was granted is a revoke, and another is not", async () => {
  const granted = page({ consent: "granted" }, { cookies: { visitor_id: visitor } });
  granted.client.deny();
  await soon();
  assert.deepEqual(granted.seen.beacons, [["/api/session/forget", {}]]);
  await granted.arrive();
  assert.equal(granted.calls(), "init denied");
  const pending = page({ consent: "pending", beforeConsent: "anonymous" });
  pending.client.deny();
  await pending.arrive();
  assert.equal(pending.calls(), "init denied, page_view landing");
  assert.deepEqual(pending.seen.beacons, []);
});

test("what is told while consent is pending waits, and is told once and in order when it is granted", async () => {
  for (const beforeConsent of ["silent", "anonymous"]) {
    const { client, arrive, calls } = page({ consent: "pending", beforeConsent });
    client.event("a");
    client.order({ id: 7, amount: 1, currency: "EUR" });
    client.grant();
    client.event("b");
    client.grant();
    await arrive();
    assert.equal(calls(), "init granted, page_view landing, event a, order 7, event b", beforeConsent);
  }
});

test("an order that a page tells of before grant(), in the same breath, is sent", async () => {
  const { client, arrive, calls, seen } = page({ consent: "pending" });
  client.order({ id: "1", amount: "5.00", currency: "EUR" });
  client.grant();
  assert.ok(seen.options.urgent, "it is not put off");
  await arrive();
  assert.equal(calls(), "init granted, page_view landing, order 1");
});

test("what waits for consent is gone once that is denied, and what is told after it is dropped", async () => {
  const { client, arrive, calls } = page({ consent: "pending" });
  client.event("a");
  client.pageView("/nobody");
  client.deny();
  client.event("b");
  assert.equal((await client.snapshot()).dropped, 3);
  client.grant();
  await arrive();
  assert.equal(calls(), "init granted, page_view landing");
});

test("in anonymous mode views go at once, and events wait although the WebAssembly is there", async () => {
  const { client, arrive, calls } = page({ consent: "pending", beforeConsent: "anonymous" });
  client.event("a");
  await arrive();
  client.event("b");
  client.pageView("/anonymous");
  assert.equal(calls(), "init pending, page_view landing, page_view /anonymous");
  client.grant();
  assert.equal(calls(), "init pending, page_view landing, page_view /anonymous, grant, event a, event b");
  client.deny();
});

test("of too many calls that wait the oldest goes, an order last, and one line says so", async () => {
  const { client, arrive, calls, seen } = page({ consent: "pending", autoPageViews: false });
  client.order({ id: "first", amount: 1, currency: "EUR" });
  for (let n = 0; n < 201; n++) client.event("e" + n);
  client.grant();
  await arrive();
  assert.equal(seen.calls.length, 1 + 200);
  assert.ok(calls().startsWith("init granted, order first, event e2, event e3"));
  assert.equal(seen.warned.length, 1);
  assert.equal((await client.snapshot()).dropped, 2);
});

test("a page is told of each change of consent until it wants no more", async () => {
  const { client, seen } = page({ consent: "pending" });
  const heard = [];
  const end = client.onConsentChange((consent) => heard.push(consent));
  client.onConsentChange(() => {
    throw new Error("of the page");
  });
  client.grant();
  client.grant();
  client.deny();
  end();
  client.grant();
  assert.deepEqual([heard, seen.warned], [["granted", "denied"], []]);
});

test("a frame of the page's own origin is no view, unless it is asked for", async () => {
  for (const [frames, expected] of [[undefined, "init granted"], ["false", "init granted"], [true, "init granted, page_view landing"]]) {
    const { arrive, calls } = page({ consent: "granted", frames }, { frame: {} });
    await arrive();
    assert.equal(calls(), expected);
  }
});

test("an amount that was computed is rounded to four places", async () => {
  const { client, arrive, seen } = page({ consent: "granted" });
  for (const amount of [19.9 * 3, 5, "5.00", 1e-7, 12345678.00005]) client.order({ id: "1", amount, currency: "EUR" });
  await arrive();
  const amounts = seen.told.filter(({ name }) => name == "order").map(({ given }) => given.amount);
  assert.deepEqual(amounts, ["59.7", "5", "5.00", "0", "12345678.0001"]);
});

test("a library that gives arrays a toJSON changes nothing of what is told", async () => {
  Array.prototype.toJSON = function () {
    return "[" + this.map((item) => JSON.stringify(item)) + "]";
  };
  try {
    const { client, arrive, seen } = page({ consent: "granted" });
    client.order({ id: "1", amount: "5.00", currency: "EUR", items: [{ sku: "a" }] });
    await arrive();
    assert.deepEqual(seen.told.at(-1).given.items, [{ sku: "a" }]);
    assert.ok(Object.hasOwn(Array.prototype, "toJSON"), "it is the page's");
  } finally {
    delete Array.prototype.toJSON;
  }
});

test("a landing page is told once there is consent, however late", async () => {
  const { client, arrive, calls } = page({ consent: "pending" });
  client.login("ann", "secret");
  await arrive();
  assert.equal(calls(), "init pending, login");
  client.grant();
  client.grant();
  assert.equal(calls(), "init pending, login, grant, page_view landing, grant");
});

test("a call that fails stops no other", async () => {
  const { client, arrive, core, calls } = page({ consent: "granted" });
  const { call } = core;
  core.call = async (name, ...args) => {
    if (name === "login") throw new Error("unreachable");
    return call(name, ...args);
  };
  client.event("a");
  const login = assert.rejects(client.login("ann", "secret"), /unreachable/);
  client.event("b");
  await arrive();
  await login;
  assert.equal(calls(), "init granted, page_view landing, event a, event b");
});

test("too many calls are dropped, and never a decision", async () => {
  const { client, arrive, calls } = page({ consent: "granted" });
  for (let n = 0; n < 250; n++) client.event("x");
  client.logout();
  client.revoke();
  await arrive();
  assert.equal(calls(), "init denied, logout");
  assert.equal((await client.snapshot()).dropped, 251);
});

test("without the WebAssembly, promises say what is wrong, and facts go when the page does", async () => {
  const { client, fail, leave, seen } = page({ consent: "granted" });
  const ways = [() => client.login("ann", "secret"), () => client.logout(), () => client.end()];
  const early = ways.map((way) => assert.rejects(way(), (error) => error instanceof Error && /blocked, or offline/.test(error.message)));
  client.event("play", { level: 3 });
  await fail();
  await Promise.all(early);
  const again = ways.map((way) => assert.rejects(way(), /blocked, or offline/));
  await fail();
  await Promise.all(again);
  client.order({ id: 7, amount: 49.9, currency: "EUR" });
  leave();
  leave();
  assert.deepEqual(seen.beacons.map(([path]) => path.split("/").pop()), ["page_view", "event", "order"]);
  const [, [, event], [, order]] = seen.beacons;
  assert.deepEqual([event.name, event.props, event.url], ["play", { level: 3 }, "https://shop.example/landing"]);
  assert.deepEqual([order.id, order.amount, order.currency], ["7", "49.9", "EUR"]);
  assert.ok(event.visitor_id && event.visitor_id === order.visitor_id);
  assert.equal(seen.warned.length, 1);
});

test("what did not load is loaded again when it is needed", async () => {
  const { client, fail, arrive, seen, calls } = page({ consent: "granted" });
  await fail();
  const login = client.login("ann", "secret");
  await arrive();
  await login;
  assert.equal(seen.loads, 2);
  assert.equal(calls(), "init granted, page_view landing, login");
});

test("a page whose visitor another tab has forgotten says nothing when it leaves", async () => {
  const { leave, seen, jar } = page({ consent: "granted" }, { cookies: { visitor_id: visitor } });
  jar.clear();
  leave();
  assert.deepEqual([seen.beacons, seen.written], [[], []]);
});

test("where cookies may not be looked at, calls are answered all the same", async () => {
  const { client, arrive, calls } = page({ consent: "granted" }, { forbidden: true });
  client.event("a");
  await arrive();
  await client.end();
  assert.equal(calls(), "init granted, page_view landing, event a, end");
  await client.revoke();
});

test("a browser without beacons forgets all the same", async () => {
  const { client, jar, kept, seen } = page({ consent: "granted" }, { cookies: { visitor_id: visitor, last_activity: "1" } });
  delete navigator.sendBeacon;
  await client.revoke();
  assert.deepEqual(seen.beacons, [["/api/session/forget", {}]]);
  assert.deepEqual([jar.size, Object.keys(kept)], [0, ["other"]]);
});

test("without the WebAssembly, a revoke deletes the cookies and ends the session", async () => {
  for (const take of ["revoke", "deny"]) {
    for (const late of [false, true]) {
      const { client, fail, jar, kept, seen } = page(
        { consent: "granted", cookieDomain: "example" },
        { cookies: { visitor_id: visitor, last_activity: "1", other: "x" } },
      );
      if (late) await fail();
      client[take]();
      assert.ok(!jar.has("visitor_id"), "at once, whatever comes after");
      await soon();
      assert.deepEqual([...jar.keys()], ["other"], take);
      assert.equal(seen.written.filter((text) => text.includes("Domain=example")).length, 2, "each with its domain");
      assert.deepEqual(seen.beacons, [["/api/session/forget", {}]]);
      assert.deepEqual([Object.keys(kept), seen.others], [["other"], 1], "what waits, and the other tabs");
      if (!late) await fail();
    }
  }
});

test("cookies of our names that another application has written stay as they are", async () => {
  const theirs = { visitor_id: "customer-7", last_activity: "today" };
  const { client, leave, jar, seen } = page({ consent: "granted" }, { cookies: theirs });
  leave();
  assert.match(seen.beacons[0][1].visitor_id, /^v_/);
  await client.revoke();
  assert.deepEqual([Object.fromEntries(jar), seen.written], [theirs, []]);
  assert.equal(seen.beacons.length, 1, "nobody is known to the server");
});

test("cookies have the names that the site gives them, as an object or in an attribute", async () => {
  for (const cookieNames of [{ visitor_id: "shop.vid", last_activity: "seen" }, "visitor_id=shop.vid, last_activity=seen"]) {
    const cookies = { visitor_id: "customer-7", "shop.vid": visitor, seen: "17" };
    const { client, jar, seen } = page({ consent: "granted", cookieNames }, { cookies });
    await client.revoke();
    assert.deepEqual([...jar.keys()], ["visitor_id"]);
    assert.deepEqual(seen.beacons, [["/api/session/forget", {}]]);
  }
  const { leave, jar } = page({ consent: "granted", cookieNames: { visitor_id: "vid" } });
  leave();
  assert.deepEqual([...jar.keys()], ["vid"]);
});

test("a name ends where no name of a cookie goes on", async () => {
  for (const [visitor_id, name] of [["a b", "a"], ["a;b", "a"], ["", "visitor_id"]]) {
    const { leave, jar } = page({ consent: "granted", cookieNames: { visitor_id } });
    leave();
    assert.deepEqual([...jar.keys()], [name]);
  }
});

test("an erasure waits for the WebAssembly, and nothing is measured meanwhile", async () => {
  const { client, arrive, calls } = page({ consent: "granted" }, { cookies: { visitor_id: visitor } });
  client.event("before");
  const erased = client.revoke({ erase: true });
  client.event("after");
  await arrive();
  await erased;
  assert.equal(calls(), "init denied, revoke");
});

test("an erasure forgets at once, and leaves the session to the WebAssembly, with the visitor to erase", async () => {
  const { client, fail, jar, kept, seen } = page({ consent: "granted" }, { cookies: { visitor_id: visitor, last_activity: "1" } });
  const erased = assert.rejects(client.revoke({ erase: true }), /blocked, or offline/);
  await soon();
  assert.deepEqual([jar.size, Object.keys(kept), seen.others, seen.beacons], [0, ["other"], 1, []]);
  await fail();
  await erased;
  const again = assert.rejects(client.revoke({ erase: true }), /blocked, or offline/);
  await fail();
  await again;
  assert.equal(seen.options.revoked, visitor);
});

test("what was put off is wanted by each call that is measured or waits for an answer, and by no other", async () => {
  const calls = { event: true, order: true, pageView: true, grant: true, login: true, end: true, revoke: false, deny: false, snapshot: false };
  for (const [name, wanted] of Object.entries(calls)) {
    const { client, seen } = page({ consent: "granted" });
    assert.equal(seen.options.urgent, undefined);
    client[name](name == "order" ? { id: "1", amount: 1 } : "a");
    assert.equal(!!seen.options.urgent, wanted, name);
  }
});

test("consent that is given anew is no consent that another tab took back", async () => {
  const { client, seen, jar } = page({ consent: "granted" }, { cookies: { visitor_id: visitor } });
  assert.ok(seen.options.known);
  jar.clear(); // in another tab
  client.grant();
  assert.ok(!seen.options.known);
});

test("a visitor that the loader itself has named is forgotten too", async () => {
  const { client, fail, leave, jar } = page({ consent: "granted" });
  leave();
  assert.deepEqual([...jar.keys()], ["visitor_id"]);
  await fail();
  await client.revoke();
  assert.equal(jar.size, 0);
});

test("a page that leaves early sends what it told, and once", async () => {
  const { leave, seen, client, arrive, calls } = page({ consent: "granted", site: "shop" });
  client.event("play");
  leave();
  leave();
  const [[, view], [, event]] = seen.beacons;
  assert.equal(seen.beacons.length, 2);
  assert.deepEqual([view.site, view.url, event.name, event.anonymous], ["shop", "https://shop.example/landing", "play", false]);
  await arrive();
  assert.equal(calls(), "init granted");
});

test("a page that leaves early tells of no fragment, and of no negative age", async () => {
  const { leave, seen } = page({ consent: "granted" }, { href: "https://shop.example/landing#access_token=SECRET" });
  const { now } = Date;
  Date.now = () => now() - 3_600_000;
  try {
    leave();
  } finally {
    Date.now = now;
  }
  const [[, view]] = seen.beacons;
  assert.deepEqual([view.url, view.age_ms], ["https://shop.example/landing", 0]);
});

test("once the shell is there, it sees to a page that is left", async () => {
  const { leave, seen } = page({ consent: "granted" });
  seen.options.hurry = () => {};
  leave();
  assert.deepEqual(seen.beacons, []);
});

test("a page that leaves early without consent sends anonymous views, or nothing", async () => {
  const anonymous = page({ consent: "pending", beforeConsent: "anonymous" });
  anonymous.leave();
  assert.equal(anonymous.seen.beacons.length, 1);
  assert.equal(anonymous.seen.credentials, "omit", "no cookie goes with it");
  const [, view] = anonymous.seen.beacons[0];
  assert.deepEqual([view.anonymous, view.visitor_id], [true, undefined]);
  assert.deepEqual(anonymous.seen.written, []);
  const silent = page({ consent: "pending" });
  silent.leave();
  assert.deepEqual(silent.seen.beacons, []);
});

test("an event that is to be confirmed is told, and then waited for", async () => {
  const { client, arrive, calls, core } = page({ consent: "granted" });
  const confirmed = client.event("play", {}, { confirm: true });
  const ordered = client.order({ id: "A1", amount: "5", currency: "EUR" }, { confirm: true });
  core.call = async (name, { name: kind }) => name + " " + kind;
  await arrive();
  assert.deepEqual(await Promise.all([confirmed, ordered]), ["confirm event", "confirm order"]);
  assert.equal(calls(), "init granted, page_view landing, event play, order A1");
});

test("without consent nothing is confirmed, and nothing is loaded for it", async () => {
  for (const consent of ["pending", "denied"]) {
    const { client, seen } = page({ consent });
    await assert.rejects(client.event("play", {}, { confirm: true }), { message: consent });
    await client.flush();
    assert.equal(seen.loads, 0);
  }
});

test("before consent nothing is loaded, read, written or sent", async () => {
  for (const consent of ["pending", "denied"]) {
    const { client, leave, seen } = page({ consent });
    client.event("play");
    client.pageView();
    client.deny();
    await client.end();
    leave();
    await client.snapshot();
    const { reads, ...rest } = seen;
    assert.equal(reads, 0);
    assert.deepEqual(rest, { calls: [], beacons: [], told: [], others: 0, loads: 0, written: [], warned: [] });
    await client.revoke();
    assert.deepEqual([seen.loads, seen.beacons.length], [0, 0], "nobody is known: nobody is told");
  }
});

test("a decision is remembered if the page asks for it, and counts where the page has none", async () => {
  const asked = page({ rememberConsent: "" });
  asked.client.grant();
  assert.equal(asked.kept.visitflow_consent, "granted");
  await asked.client.revoke();
  assert.equal(asked.kept.visitflow_consent, "denied");
  const remembers = page({ rememberConsent: true }, { remembered: "granted" });
  assert.equal((await remembers.seenConsent()), "granted");
  const pending = page({ rememberConsent: true, consent: "pending" }, { remembered: "granted" });
  assert.equal(await pending.seenConsent(), "granted");
  const told = page({ rememberConsent: true, consent: "denied" }, { remembered: "granted" });
  assert.equal((await told.seenConsent()), "denied");
  for (const rememberConsent of [undefined, false, "false"]) {
    const forgets = page({ rememberConsent }, { remembered: "granted" });
    assert.equal(await forgets.seenConsent(), "pending");
    forgets.client.grant();
    forgets.client.revoke();
    assert.equal(forgets.kept.visitflow_consent, "granted", "it is not touched");
  }
});

test("with options that cannot be read nothing is measured, and nobody waits for ever", async () => {
  {
    const { client, seen } = page({ consent: "granted", endpoint: "http://[" });
    await assert.rejects(client.login("ann", "secret"));
    client.grant();
    client.event("play");
    assert.equal((await client.snapshot()).consent, "denied");
    assert.deepEqual([seen.beacons.length, seen.loads, seen.warned.length], [0, 0, 1]);
  }
});

test("a page that is left early does not tell of a browser that is ignored", async () => {
  for (const options of [{ consent: "granted" }, { consent: "pending", beforeConsent: "anonymous" }]) {
    const { leave, seen } = page(options, { cookies: { visitflow_ignore: "1" } });
    leave();
    assert.deepEqual([seen.beacons, seen.written], [[], []]);
  }
});

test("a view of another address that is told early has no fragment", async () => {
  const { client, leave, seen } = page({ consent: "granted", autoPageViews: false });
  client.pageView("/shoes#access_token=SECRET");
  leave();
  assert.equal(seen.beacons[0][1].url, "https://shop.example/shoes");
});

test("what was refused at once is not confirmed", async () => {
  const { client } = page({ consent: "granted" });
  const circle = {};
  circle.circle = circle;
  await assert.rejects(client.event("play", circle, { confirm: true }));
  await assert.rejects(client.order(undefined, { confirm: true }));
});

test("an order without an id and an event without a name are refused, and one line says so", async () => {
  const { client, arrive, calls, seen } = page({ consent: "granted" });
  client.order({ amount: "5.00", currency: "EUR" });
  client.event();
  await arrive();
  assert.deepEqual([calls(), seen.warned.length], ["init granted, page_view landing", 1]);
});

test("once the core is there, a revoke forgets at once", async () => {
  const { client, seen } = page({ consent: "granted" }, { cookies: { visitor_id: visitor } });
  const forgotten = [];
  seen.options.forget = (given) => forgotten.push(given);
  client.revoke();
  client.revoke();
  assert.deepEqual(forgotten, [undefined]);
});

test("a view that went ahead before consent was taken back is told anew after another consent", async () => {
  const { client, seen } = page({ consent: "granted" });
  await soon();
  const [call] = seen.waiting;
  call.fact = { stored: true };
  seen.options.stale = "The title that was told";
  client.grant();
  assert.ok(call.fact, "consent that is there already changes nothing");
  client.revoke();
  client.grant();
  assert.ok(!call.fact && !seen.options.stale);
});
