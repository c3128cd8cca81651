// What src/client.js does with calls while the WebAssembly is on its way, or does not come.

import assert from "node:assert/strict";
import { test } from "node:test";
import { serially } from "../../client-wasm/src/browser/host.js";
import { create } from "../src/client.js";

globalThis.VERSION = "0.0.0";
const soon = () => new Promise((resolve) => setTimeout(resolve, 5));
const visitor = "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80";

/** A page of stand-ins; `arrive()` brings the WebAssembly, `fail()` says that it will not come. */
function page(options, { cookies = {}, taken = true } = {}) {
  const seen = { calls: [], beacons: [], told: 0, loads: 0, reads: 0, written: [], warned: [] };
  const listeners = {};
  const jar = new Map(Object.entries(cookies));
  const kept = { "visitflow:1": "[]", other: "x" };
  Object.defineProperty(kept, "removeItem", { value: (key) => delete kept[key] });
  let settle;
  const globals = {
    document: {
      referrer: "",
      get cookie() {
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
    location: { href: "https://shop.example/landing" },
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
  const load = () => {
    seen.loads++;
    return new Promise((resolve, reject) => (settle = { resolve, reject }));
  };
  const core = {
    serially,
    init: (given) => seen.calls.push(["init", given.consent, given.landingSent]),
    snapshot: () => ({ dropped: 0 }),
  };
  for (const name of ["grant", "deny"]) core[name] = () => seen.calls.push([name]);
  for (const name of ["pageView", "event", "order"]) core[name] = (at, href, what) => seen.calls.push([name, what]);
  for (const name of ["revoke", "login", "logout", "end"]) {
    core[name] = (...args) => {
      seen.calls.push([name]);
      args.at(-1)(undefined, name);
    };
  }
  const client = create(load, () => "https://stats.example");
  client.init(options);
  return {
    client, seen, jar, kept, core,
    leave: () => listeners.pagehide?.(),
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
    calls: () => seen.calls.map((call) => call.slice(0, 2).join(" ")).join(", "),
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
  assert.equal(calls(), "init granted, event a, revoke, event b, grant, login, revoke");
  await revoked;
});

test("before that, calls wait in order", async () => {
  const { client, arrive, calls } = page({ consent: "granted" });
  client.event("a");
  client.login("ann", "secret");
  client.event("b");
  client.logout();
  client.end();
  client.pageView("/shoes");
  await arrive();
  assert.equal(calls(), "init granted, event a, login, event b, logout, end, pageView /shoes");
});

test("a revoke voids what waits, and nothing of after it is sent", async () => {
  const { client, arrive, calls } = page({ consent: "granted" });
  client.event("before");
  client.login("ann", "secret");
  const revoked = client.revoke();
  client.event("after");
  await arrive();
  await revoked;
  assert.equal(calls(), "init denied, login, revoke");
  assert.equal((await client.snapshot()).dropped, 2);
});

test("a revoke and then a grant is a new consent", async () => {
  const { client, arrive, calls } = page({ consent: "granted" });
  client.revoke();
  client.grant();
  client.event("after");
  await arrive();
  assert.equal(calls(), "init denied, revoke, grant, event after");
});

test("a denial of what was granted is a revoke, and another is not", async () => {
  const granted = page({ consent: "granted" }, { cookies: { visitor_id: visitor } });
  granted.client.deny();
  await granted.arrive();
  assert.equal(granted.calls(), "init denied, revoke");
  const pending = page({ consent: "pending", beforeConsent: "anonymous" });
  pending.client.deny();
  pending.client.grant();
  await pending.arrive();
  assert.equal(pending.calls(), "init granted, grant");
});

test("a grant that was taken back while the WebAssembly was on its way never happens", async () => {
  const { client, arrive, calls } = page({ consent: "pending", beforeConsent: "anonymous" });
  client.event("without consent");
  client.pageView("/anonymous");
  client.grant();
  client.event("with consent");
  client.deny();
  await arrive();
  assert.equal(calls(), "init denied, revoke");
});

test("a call that the WebAssembly makes the page make waits its turn", async () => {
  const { client, arrive, core, seen, calls } = page({ consent: "granted" });
  core.event = (at, href, name) => {
    seen.calls.push(["event", name]);
    if (name === "a") client.event("made by a");
  };
  client.event("a");
  client.event("b");
  await arrive();
  assert.equal(calls(), "init granted, event a, event b, event made by a");
});

test("a call that fails stops no other", async () => {
  const { client, arrive, core, seen, calls } = page({ consent: "granted" });
  core.login = () => {
    throw new Error("unreachable");
  };
  client.event("a");
  const login = assert.rejects(client.login("ann", "secret"), /unreachable/);
  client.event("b");
  await arrive();
  await login;
  assert.equal(calls(), "init granted, event a, event b");
  assert.equal(seen.warned.length, 1);
});

test("too many facts are dropped, and never a decision", async () => {
  const { client, arrive, seen, calls } = page({ consent: "granted" });
  for (let n = 0; n < 250; n++) client.event("x");
  client.logout();
  client.revoke();
  await arrive();
  assert.equal(calls(), "init denied, logout, revoke");
  assert.equal((await client.snapshot()).dropped, 250);
  const full = page({ consent: "granted" });
  for (let n = 0; n < 250; n++) full.client.event("x");
  full.client.logout();
  await full.arrive();
  assert.equal(full.seen.calls.length, 1 + 200 + 1);
  assert.equal(seen.warned.length, 0);
});

test("without the WebAssembly, promises say what to do", async () => {
  const { client, fail, seen } = page({ consent: "granted" });
  const ways = [() => client.login("ann", "secret"), () => client.logout(), () => client.end()];
  const early = ways.map((way) => assert.rejects(way(), (error) => error instanceof Error && /reload/.test(error.message)));
  client.event("lost");
  await fail();
  await Promise.all(early);
  for (const way of ways) await assert.rejects(way(), /reload/);
  client.event("lost too");
  assert.equal((await client.snapshot()).dropped, 2);
  assert.equal(seen.warned.length, 1);
});

test("without the WebAssembly, a revoke deletes the cookies and ends the session", async () => {
  for (const take of ["revoke", "deny"]) {
    for (const late of [false, true]) {
      const { client, fail, jar, kept, seen } = page(
        { consent: "granted", cookieDomain: "example" },
        { cookies: { visitor_id: visitor, last_activity: "1", other: "x" } },
      );
      if (late) await fail();
      const revoked = client[take]();
      if (!late) await fail();
      await revoked;
      assert.deepEqual([...jar.keys()], ["other"], take);
      assert.equal(seen.written.filter((text) => text.includes("Domain=example")).length, 2);
      assert.deepEqual(seen.beacons, [["/api/session/end", {}]]);
      assert.deepEqual([Object.keys(kept), seen.told], [["other"], 1], "what waits, and the other tabs");
    }
  }
});

test("a visitor that the loader itself has named is forgotten too", async () => {
  const { client, fail, leave, jar } = page({ consent: "granted" });
  leave();
  assert.deepEqual([...jar.keys()], ["visitor_id"]);
  await fail();
  await client.revoke();
  assert.equal(jar.size, 0);
});

test("a page that leaves with a revoke on its mind forgets at once", async () => {
  const { client, leave, jar, seen } = page({ consent: "granted" }, { cookies: { visitor_id: visitor } });
  client.revoke();
  leave();
  assert.equal(jar.size, 0);
  assert.deepEqual(seen.beacons, [["/api/session/end", {}]]);
});

test("a landing page counts as sent only if the browser took the beacon", async () => {
  for (const taken of [false, true]) {
    const { arrive, leave, seen } = page({ consent: "granted" }, { taken });
    leave();
    leave();
    assert.equal(seen.beacons.length, taken ? 1 : 2);
    await arrive();
    assert.deepEqual(seen.calls[0], ["init", "granted", taken]);
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
    assert.equal(seen.reads, 0);
    await client.revoke();
    await soon();
    const { reads, ...rest } = seen;
    assert.equal(reads, 1, "a revoke looks whether there is something to delete");
    assert.deepEqual(rest, { calls: [], beacons: [], told: 0, loads: 0, written: [], warned: [] });
  }
});

test("with options that cannot be read nothing is measured, and nobody waits for ever", async () => {
  for (const options of [{ consent: "granted", endpoint: "http://[" }, null]) {
    const { client, seen } = page(options);
    await assert.rejects(client.login("ann", "secret"), /could not be loaded/);
    await client.revoke();
    client.grant();
    client.event("play");
    assert.equal((await client.snapshot()).consent, "denied");
    assert.deepEqual([seen.loads, seen.beacons.length, seen.warned.length], [0, 0, 1]);
  }
});
