// What src/client.js does with calls while the WebAssembly is on its way, or does not come.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "../src/client.js";

globalThis.VERSION = "0.0.0";
const soon = () => new Promise((resolve) => setTimeout(resolve, 5));
const visitor = "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80";

/** A page of stand-ins; `arrive()` brings the WebAssembly, `fail()` says that it will not come. */
function page(options, { cookies = {}, taken = true, remembered, forbidden } = {}) {
  const seen = { calls: [], beacons: [], told: 0, loads: 0, reads: 0, written: [], warned: [] };
  const listeners = {};
  const jar = new Map(Object.entries(cookies));
  const kept = { "visitflow:1": "[]", other: "x", ...(remembered && { visitflow_consent: remembered }) };
  Object.defineProperty(kept, "removeItem", { value: (key) => delete kept[key] });
  let settle;
  const globals = {
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
    location: new URL("https://shop.example/landing"),
    navigator: {
      sendBeacon: (url, body) => {
        seen.beacons.push([new URL(url).pathname, JSON.parse(body)]);
        return taken;
      },
    },
    localStorage: kept,
    BroadcastChannel: class {
      postMessage() {
        seen.told++;
      }
      close() {}
    },
    addEventListener: (name, run) => (listeners[name] = run),
    console: { ...console, warn: (...words) => seen.warned.push(words.join(" ")) },
  };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { configurable: true, value });
  }
  const load = (_, options) => {
    seen.loads++;
    seen.options = options;
    return new Promise((resolve, reject) => (settle = { resolve, reject }));
  };
  const core = {
    init: ({ consent }, facts) => {
      seen.calls.push(["init", consent]);
      for (const fact of facts) core.call(...fact);
    },
    call: async (name, ...args) => {
      const what = /page_view|event|order/.test(name) && (args[2].url?.replace("https://shop.example", "") ?? args[2].name ?? args[2].id ?? "landing");
      seen.calls.push(what ? [name, what] : [name]);
      if (name === "grant") for (const fact of args[0]) core.call(...fact);
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
  assert.equal(calls(), "init granted, page_view landing, event a, revoke, event b, grant, login, revoke");
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
  assert.deepEqual(granted.seen.beacons, [["/api/session/forget", {}]]);
  await granted.arrive();
  assert.equal(granted.calls(), "init denied");
  const pending = page({ consent: "pending", beforeConsent: "anonymous" });
  pending.client.deny();
  await pending.arrive();
  assert.equal(pending.calls(), "init denied, page_view landing");
  assert.deepEqual(pending.seen.beacons, []);
});

test("of what happened before consent only views are counted, and those if the page asked for it", async () => {
  const { client, arrive, calls } = page({ consent: "pending", beforeConsent: "anonymous" });
  client.event("without consent");
  client.pageView("/anonymous");
  client.grant();
  client.event("with consent");
  client.deny();
  await arrive();
  assert.equal(calls(), "init denied, page_view landing");
  const silent = page({ consent: "pending" });
  silent.client.event("without consent");
  silent.client.pageView("/nobody");
  silent.client.grant();
  await silent.arrive();
  assert.equal(silent.calls(), "init granted, page_view landing");
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

test("too many facts are dropped, and never a decision", async () => {
  const { client, arrive, calls, seen } = page({ consent: "granted" });
  for (let n = 0; n < 250; n++) client.event("x");
  client.logout();
  client.revoke();
  await arrive();
  assert.equal(calls(), "init denied, logout");
  assert.equal((await client.snapshot()).dropped, 250);
  const full = page({ consent: "granted" });
  for (let n = 0; n < 250; n++) full.client.event("x");
  full.client.logout();
  await full.arrive();
  assert.equal(full.seen.calls.length, 1 + 200 + 1);
  assert.equal(seen.warned.length, 0);
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
  const { client, jar, kept } = page({ consent: "granted" }, { cookies: { visitor_id: visitor, last_activity: "1" } });
  delete navigator.sendBeacon;
  await client.revoke();
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
      await client[take]();
      assert.deepEqual([...jar.keys()], ["other"], take);
      assert.equal(seen.written.filter((text) => text.includes("Domain=example")).length, 2);
      assert.deepEqual(seen.beacons, [["/api/session/forget", {}]]);
      assert.deepEqual([Object.keys(kept), seen.told], [["other"], 1], "what waits, and the other tabs");
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

test("names that cookies cannot have, or that are one, are refused, and nothing is measured", async () => {
  for (const visitor_id of ["a b", "a;b", "", "__Host-a", "last_activity", "x".repeat(65)]) {
    const { leave, seen, jar } = page({ consent: "granted", cookieNames: { visitor_id } });
    leave();
    assert.deepEqual([seen.beacons, jar.size, seen.loads], [[], 0, 0], visitor_id);
    assert.match(seen.warned[0], /cookieNames/);
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
  assert.deepEqual([jar.size, Object.keys(kept), seen.told, seen.beacons], [0, ["other"], 1, []]);
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
    client[name](name == "order" ? {} : "a");
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

test("a fact counts as sent only if the browser took the beacon", async () => {
  for (const taken of [false, true]) {
    const { arrive, leave, seen, calls } = page({ consent: "granted" }, { taken });
    leave();
    leave();
    assert.equal(seen.beacons.length, taken ? 1 : 2);
    await arrive();
    assert.equal(calls(), taken ? "init granted" : "init granted, page_view landing");
  }
});

test("a page that leaves early without consent sends anonymous views, or nothing", async () => {
  const anonymous = page({ consent: "pending", beforeConsent: "anonymous" });
  anonymous.leave();
  assert.equal(anonymous.seen.beacons.length, 1);
  const [, view] = anonymous.seen.beacons[0];
  assert.deepEqual([view.anonymous, view.visitor_id], [true, undefined]);
  assert.equal(anonymous.seen.reads, 0);
  const silent = page({ consent: "pending" });
  silent.leave();
  assert.deepEqual(silent.seen.beacons, []);
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
    assert.deepEqual(rest, { calls: [], beacons: [], told: 0, loads: 0, written: [], warned: [] });
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
    const { client, seen, fail } = page({ consent: "granted", endpoint: "http://[" });
    const login = assert.rejects(client.login("ann", "secret"), /blocked, or offline/);
    await fail();
    await login;
    await client.revoke();
    client.grant();
    client.event("play");
    assert.equal((await client.snapshot()).consent, "denied");
    assert.deepEqual([seen.beacons.length, seen.warned.length], [0, 1]);
  }
});
