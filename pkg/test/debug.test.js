// What debug mode says, in src/debug.js.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import explain from "../src/debug.js";

// Not every Node.js has one.
Object.defineProperty(globalThis, "navigator", { configurable: true, value: {} });

function said(options, run = () => {}) {
  const lines = [];
  const { debug } = console;
  console.debug = (...words) => lines.push(words.slice(1).join(" "));
  try {
    explain(options);
    run(options.trace);
  } finally {
    console.debug = debug;
  }
  return lines;
}

test("it says why nothing happens", () => {
  assert.match(said({ consent: "pending" }).at(-1), /pending: nothing is read, written or sent before grant/);
  assert.match(said({ consent: "denied" }).at(-1), /denied: nothing/);
  assert.match(said({ beforeConsent: "anonymous" }).at(-1), /without cookies and identifiers/);
  navigator.globalPrivacyControl = true;
  assert.match(said({ consent: "granted" }).at(-1), /Global Privacy Control: consent is denied/);
  delete navigator.globalPrivacyControl;
  assert.match(said({ consent: "granted" }).at(-1), /granted: views are counted/);
});

test("it says what the page calls, what is sent and what the answers mean", () => {
  const lines = said({}, (trace) => {
    trace("event", ["play", { level: 3 }]);
    trace("login", ["ann", "secret"]);
    trace("request", "/api/auth/login", '{"username":"ann","password":"secret"}');
    trace("request", "/api/telemetry/event", "{}");
    trace("answer", "/api/telemetry/event", 503, 2000);
    trace("answer", "/api/telemetry/event", 0, 0);
    trace("answer", "/api/telemetry/event", 400, 0);
    trace("cookie", "visitor_id", "", 0);
    trace("complaint", "Mend it.");
  }).slice(2);
  assert.deepEqual(lines, [
    "the page calls event() play [object Object]",
    "the page calls login()",
    "fetch /api/auth/login",
    "fetch /api/telemetry/event: {}",
    "answer to /api/telemetry/event: 503, it is sent again later, in 2 s at the earliest",
    "answer to /api/telemetry/event: none, no answer: it is sent again later",
    "answer to /api/telemetry/event: 400, refused for good",
    "cookie visitor_id is deleted",
    "a complaint: Mend it.",
  ]);
});

test("it knows everything that can happen, and all that is traced", () => {
  const shell = new URL("../../client-wasm/shell/", import.meta.url);
  const read = (name) => readFileSync(new URL(name, shell), "utf8");
  const happenings = read("generated.js").split("// What the shell tells of.")[1].match(/^export const/gm).length;
  const lines = said({}, (trace) => {
    for (let what = 0; what < happenings; what++) trace("happened", what);
  }).slice(2);
  assert.equal(lines.length, happenings);
  assert.ok(lines.every((line) => line && line !== "undefined"));
  const traced = readdirSync(shell).flatMap((name) => [...read(name).matchAll(/trace\?\.\("(\w+)"/g)].map(([, what]) => what));
  assert.deepEqual([...new Set(traced)].sort(), ["answer", "beacon", "complaint", "cookie", "happened", "request", "view"]);
});
