// The adapters of consent managers, with data layers and frameworks as their specifications describe them.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { googleConsent } from "../src/consent/google.js";
import { tcfConsent } from "../src/consent/tcf.js";

let told;
const visitflow = { grant: () => told.push("grant"), deny: () => told.push("deny") };
const soon = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

beforeEach(() => {
  told = [];
  globalThis.window = globalThis;
  delete globalThis.dataLayer;
  delete globalThis.__tcfapi;
});

function gtag() {
  globalThis.dataLayer.push(arguments);
}

test("Google: what was told before counts by its last word, and each change after it", () => {
  globalThis.dataLayer = [];
  gtag("consent", "default", { analytics_storage: "granted" });
  gtag("config", "G-1");
  gtag("consent", "update", { analytics_storage: "denied", ad_storage: "granted" });
  googleConsent(visitflow);
  assert.deepEqual(told, ["deny"]);
  gtag("consent", "update", { ad_storage: "denied" });
  gtag("consent", "update", { analytics_storage: "granted" });
  gtag("consent", "update", { analytics_storage: "granted" });
  globalThis.dataLayer.push({ event: "gtm.js" }, null, 7);
  assert.deepEqual(told, ["deny", "grant"]);
  assert.equal(globalThis.dataLayer.length, 9, "the data layer is as it was");
});

test("Google: a default that waits for an update waits", async () => {
  globalThis.dataLayer = [];
  googleConsent(visitflow);
  gtag("consent", "default", { analytics_storage: "granted", wait_for_update: 30 });
  assert.deepEqual(told, []);
  gtag("consent", "update", { analytics_storage: "denied" });
  await soon(40);
  assert.deepEqual(told, ["deny"]);
});

test("Google: a regional default that comes right after another keeps it from deciding", async () => {
  globalThis.dataLayer = [];
  googleConsent(visitflow);
  gtag("consent", "default", { analytics_storage: "granted" });
  gtag("consent", "default", { analytics_storage: "denied", region: ["ES"] });
  await soon();
  assert.deepEqual(told, []);
});

test("Google: a default decides where there is no other", async () => {
  globalThis.dataLayer = [];
  googleConsent(visitflow);
  gtag("consent", "default", { analytics_storage: "granted" });
  await soon();
  assert.deepEqual(told, ["grant"]);
});

test("Google: denied by default is not decided yet", async () => {
  globalThis.dataLayer = [];
  gtag("consent", "default", { analytics_storage: "denied" });
  googleConsent(visitflow);
  await soon();
  assert.deepEqual(told, []);
  gtag("consent", "update", { analytics_storage: "granted" });
  assert.deepEqual(told, ["grant"]);
});

test("Google: where defaults differ by region, none decides", () => {
  for (const turned of [false, true]) {
    told = [];
    const defaults = [
      ["consent", "default", { analytics_storage: "denied", region: ["ES"] }],
      ["consent", "default", { analytics_storage: "granted" }],
    ];
    globalThis.layer = turned ? defaults.reverse() : defaults;
    googleConsent(visitflow, { dataLayer: "layer" });
    assert.deepEqual(told, []);
    globalThis.layer.push(["consent", "update", { analytics_storage: "granted" }]);
    assert.deepEqual(told, ["grant"]);
  }
});

test("Google: an update outranks every default, those after it too", () => {
  for (const [update, other] of [["granted", "denied"], ["denied", "granted"]]) {
    told = [];
    globalThis.dataLayer = [];
    googleConsent(visitflow);
    gtag("consent", "update", { analytics_storage: update });
    gtag("consent", "default", { analytics_storage: other });
    assert.deepEqual(told, [update === "granted" ? "grant" : "deny"]);
  }
});

test("Google: what has ended hears nothing", () => {
  const end = googleConsent(visitflow);
  end();
  gtag("consent", "update", { analytics_storage: "granted" });
  assert.deepEqual(told, []);
});

/** A consent manager; `say` tells its listener something. */
function manager() {
  const listeners = new Map();
  globalThis.__tcfapi = (command, version, run, id) => {
    assert.equal(version, 2);
    if (command === "addEventListener") listeners.set(listeners.size + 1, run);
    else listeners.delete(id);
  };
  const say = (eventStatus, consents, more) => {
    for (const [listenerId, run] of listeners) run({ listenerId, eventStatus, purpose: { consents }, ...more }, true);
  };
  return { say, listeners };
}

test("TCF: only what was decided counts, and all purposes are needed", () => {
  const { say } = manager();
  tcfConsent(visitflow);
  say("cmpuishown", { 1: true, 8: true });
  assert.deepEqual(told, []);
  say("tcloaded", { 1: true });
  say("useractioncomplete", { 1: true, 8: true });
  assert.deepEqual(told, ["deny", "grant"]);
});

test("TCF: a vendor needs consent too, where one is named", () => {
  const { say } = manager();
  tcfConsent(visitflow, { vendor: 7, purposes: [1] });
  say("tcloaded", { 1: true }, { vendor: { consents: { 7: false } } });
  say("useractioncomplete", { 1: true }, { vendor: { consents: { 7: true } } });
  assert.deepEqual(told, ["deny", "grant"]);
});

test("TCF: where the GDPR does not apply the site decides", () => {
  const { say } = manager();
  tcfConsent(visitflow);
  tcfConsent(visitflow, { outside: "granted" });
  say("tcloaded", {}, { gdprApplies: false });
  assert.deepEqual(told, ["grant"]);
});

test("TCF: the consent manager may come later, and what has ended hears nothing", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const end = tcfConsent(visitflow);
  const { say, listeners } = manager();
  mock.timers.tick(1000);
  mock.timers.reset();
  assert.equal(listeners.size, 1);
  say("cmpuishown", {});
  end();
  assert.equal(listeners.size, 0);
});
