// src/ignore.js: a browser that is not measured.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ignoreMe } from "../src/ignore.js";

/** A page with these cookies; `keeps` whether the browser keeps any. */
function page(cookies, { keeps = true, cookieDomain } = {}) {
  const jar = new Map(Object.entries(cookies));
  const seen = { beacons: [], told: [], written: [], heard: 0 };
  const stand = (name, value) => Object.defineProperty(globalThis, name, { configurable: true, value });
  stand("document", {
    get cookie() {
      return [...jar].map((pair) => pair.join("=")).join("; ");
    },
    set cookie(text) {
      seen.written.push(text);
      const [, name, value] = /^(.+?)=(.*?);/.exec(text);
      if (/Max-Age=0/.test(text)) jar.delete(name);
      else if (keeps) jar.set(name, value);
    },
  });
  stand("navigator", { sendBeacon: (url) => seen.beacons.push(url) });
  stand("localStorage", { "visitflow:1": "{}", other: "x" });
  stand("BroadcastChannel", class {
    postMessage() {
      seen.heard++;
    }
  });
  const options = {
    consent: "granted", visitorCookie: "visitor_id", activityCookie: "last_activity", endpoint: "https://shop.example",
    listeners: new Set([(consent) => seen.told.push(consent)]), cookieDomain,
  };
  return { jar, options, seen };
}

test("a browser that is ignored is forgotten, in all tabs, and keeps the cookie that says so", () => {
  const { jar, options, seen } = page({ visitor_id: "v_1", last_activity: "1" });
  ignoreMe(options);
  assert.deepEqual([...jar], [["visitflow_ignore", "1"]]);
  assert.deepEqual(seen.beacons, ["https://shop.example/api/session/forget"]);
  assert.deepEqual([seen.heard, seen.told, options.consent, options.beforeConsent], [1, [], "denied", "silent"], "no change of consent is reported");
  assert.deepEqual({ ...localStorage }, { other: "x" });
  assert.equal(options.shape("event", {}), undefined, "what is told on this page is dropped");
  assert.ok(options.excluded());
});

test("one that has no identifier has nothing to forget", () => {
  const { options, seen } = page({});
  ignoreMe(options);
  assert.deepEqual([seen.beacons, seen.heard, options.consent], [[], 0, "denied"]);
});

test("it ends by the same call, for the domain of the other cookies", () => {
  const { jar, options, seen } = page({}, { cookieDomain: "shop.example" });
  ignoreMe(options, true);
  ignoreMe(options, false);
  assert.deepEqual([...jar], []);
  assert.ok(seen.written.every((text) => text.endsWith("; Domain=shop.example")));
});

test("a browser that keeps no cookie says so", () => {
  const { options } = page({}, { keeps: false });
  assert.throws(() => ignoreMe(options), /keeps no cookie/);
  assert.equal(options.consent, "granted");
});
