// In Node: importing reads no globals, and every function exists and does nothing.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const names = ["init", "grant", "revoke", "deny", "onConsentChange", "pageView", "event", "order", "login", "logout", "end", "flush", "ignoreMe", "snapshot", "session", "sessions", "endSession", "visitorData"];
const globals = ["window", "document", "navigator", "location", "history", "fetch", "localStorage", "crypto", "addEventListener"];

const doors = { "the import for Node": "../dist/node.js", "the import for browsers": "../dist/index.js" };

for (const [door, file] of Object.entries(doors)) {
  test(`${door} reads no globals`, async () => {
    const kept = globals.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
    const read = [];
    for (const name of globals) {
      Object.defineProperty(globalThis, name, { configurable: true, get: () => void read.push(name) });
    }
    try {
      await import(`${file}?globals`);
    } finally {
      for (const [name, property] of kept) {
        delete globalThis[name];
        if (property) Object.defineProperty(globalThis, name, property);
      }
    }
    assert.deepEqual(read, []);
  });

  test(`${door} does nothing, under the same names`, async () => {
    const visitflow = await import(file);
    assert.deepEqual(Object.keys(visitflow).sort(), [...names].sort());
    visitflow.init({ consent: "granted" });
    visitflow.grant();
    visitflow.deny();
    visitflow.onConsentChange(() => {})();
    visitflow.pageView("/a");
    visitflow.event("a", { b: 1 });
    assert.equal(visitflow.order({ id: "1", amount: "1", currency: "EUR" }), undefined);
    await visitflow.event("a", {}, { confirm: true });
    await visitflow.flush();
    await visitflow.ignoreMe();
    assert.deepEqual(await visitflow.login("a", "b"), { user_id: "" });
    await visitflow.logout();
    await visitflow.end();
    await visitflow.revoke();
    assert.equal(await visitflow.session(), null);
    assert.deepEqual(await visitflow.sessions(), []);
    await visitflow.endSession({ others: true });
    assert.equal(await visitflow.visitorData(), null);
    const { version, consent, visitor_id } = await visitflow.snapshot();
    assert.deepEqual({ consent, visitor_id }, { consent: "pending", visitor_id: null });
    assert.equal(version, JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version);
  });
}

test("the package's name leads to the import for Node", async () => {
  assert.equal(import.meta.resolve("visitflow"), import.meta.resolve("../dist/node.js"));
});
