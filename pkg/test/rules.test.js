// What may happen before the WebAssembly is there (client-wasm/shell/consent.js), by the table that consent.rs passes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { create } from "../src/client.js";
import { initial, maySend, mayWait } from "../../client-wasm/shell/consent.js";
import { setOptions } from "../../client-wasm/shell/options.js";

const cases = JSON.parse(readFileSync(new URL("../../client-wasm/tests/consent.json", import.meta.url)));
const stand = (globals) => {
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { configurable: true, value });
  }
};

test("the table has each consent, before and after it", () => {
  const kinds = new Set(cases.map(({ consent, beforeConsent }) => consent + beforeConsent));
  assert.deepEqual([cases.length, kinds.size], [6, 6]);
});

for (const { consent, beforeConsent, ...expected } of cases) {
  test(`with consent ${consent}, and ${beforeConsent} before it, a view ${expected.view} and an event ${expected.event}`, () => {
    setOptions({ consent, beforeConsent });
    for (const [kind, isView] of [["view", true], ["event", false]]) {
      assert.equal(maySend(isView) ? "goes" : mayWait() ? "waits" : "is dropped", expected[kind], kind);
    }
  });

  test(`with consent ${consent}, and ${beforeConsent} before it, the functions do what the rule says`, async () => {
    setOptions(undefined);
    stand({ document: { referrer: "", cookie: "" }, navigator: {}, location: new URL("https://shop.example/"), frameElement: null, addEventListener() {} });
    for (const [kind, tell] of [["view", (client) => client.pageView("/a")], ["event", (client) => client.event("a")]]) {
      const told = [];
      const exports = { init: () => {}, tell: (call) => told.push(call.name), call: async () => {}, snapshot: (dropped) => ({ dropped }) };
      const client = create(async () => exports, "/");
      client.init({ consent: "denied", autoPageViews: false });
      await client.login("a", "b"); // the WebAssembly is there
      setOptions({ consent, beforeConsent, listeners: new Set() });
      tell(client);
      const { dropped } = await client.snapshot();
      assert.equal(told.length ? "goes" : dropped ? "is dropped" : "waits", expected[kind], kind);
    }
  });
}

test("a browser that objects is denied, whatever the page says, unless that is ignored", () => {
  stand({ navigator: { globalPrivacyControl: true, doNotTrack: "1" }, localStorage: { visitflow_consent: "granted" } });
  assert.equal(initial({ consent: "granted" }), "denied");
  assert.equal(initial({ consent: "granted", gpc: "ignore" }), "granted");
  assert.equal(initial({ consent: "granted", gpc: "ignore", dnt: "honour" }), "denied");
  assert.equal(initial({ rememberConsent: true }), "denied");
});
