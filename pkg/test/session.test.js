// src/session.js: what a page learns of who is signed in, from answers good and bad.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { create } from "../src/client.js";
import call from "../src/session.js";

const SESSION = {
  user_id: "ada", session: "Fh2k", signed_in_at: "2026-10-01T09:00:00Z", created_at: "2026-10-01T08:58:00Z",
  last_activity: "2026-10-01T09:12:00Z", expires_in: 1680, visitor_id: null, site: "shop.example",
};

const { fetch } = globalThis;
let asked;
/** What the server answers: a function of the address. */
let answer;

const says = (status, body) => () => new Response(body === undefined ? null : JSON.stringify(body), { status });

beforeEach(() => {
  asked = [];
  globalThis.fetch = async (url, { method, credentials, body, headers }) => {
    asked.push(`${method} ${url}`);
    assert.deepEqual([credentials, body, headers], ["include", undefined, undefined]);
    return answer();
  };
});
afterEach(() => {
  globalThis.fetch = fetch;
});

const ask = (...given) => call({ endpoint: "https://stats.example/v" }, ...given);

test("a live session has its user and its times", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-10-01T09:12:00Z") });
  answer = says(200, SESSION);
  assert.deepEqual(await ask("session"), {
    user: "ada",
    session: "Fh2k",
    createdAt: new Date("2026-10-01T08:58:00Z"),
    signedInAt: new Date("2026-10-01T09:00:00Z"),
    lastActivity: new Date("2026-10-01T09:12:00Z"),
    expiresAt: new Date("2026-10-01T09:40:00Z"),
    visitor: null,
    site: "shop.example",
  });
  assert.deepEqual(asked, ["GET https://stats.example/v/api/session"]);

  answer = says(200, { ...SESSION, user_id: null, signed_in_at: null });
  const { user, signedInAt } = await ask("session");
  assert.deepEqual([user, signedInAt], [null, null]);
});

test("without a live session there is none", async () => {
  answer = says(401, { type: "session-expired" });
  assert.equal(await ask("session"), null);
  assert.deepEqual(await ask("sessions"), []);
});

test("what nobody can tell is no sign-out", async () => {
  const faults = {
    503: says(503, { detail: "come back" }),
    502: () => new Response("<html>", { status: 502 }),
    404: says(404, { detail: "there is no such path" }),
    0: () => Promise.reject(new TypeError("Failed to fetch")),
  };
  for (const [status, fault] of Object.entries(faults)) {
    answer = fault;
    for (const name of ["session", "sessions"]) {
      await assert.rejects(ask(name), (error) => error instanceof Error && error.status === Number(status), `${name} ${status}`);
    }
  }
  // A site that answers every address with its own page.
  for (const page of [() => new Response("<html>"), says(200, {}), says(200, null)]) {
    answer = page;
    await assert.rejects(ask("session"), /pass \/api\/session on/);
    await assert.rejects(ask("sessions"), /pass \/api\/session on/);
  }
});

test("the sessions of a user tell which one is here", async () => {
  const { user_id: _, visitor_id: __, site: ___, ...times } = SESSION;
  answer = says(200, { sessions: [
    { ...times, device: "Firefox on Linux", current: true, remembered: false },
    { ...times, session: "Zz9", device: null, current: false, remembered: true },
  ] });
  const [here, there] = await ask("sessions");
  assert.deepEqual([here.session, here.device, here.current, here.remembered], ["Fh2k", "Firefox on Linux", true, false]);
  assert.deepEqual([there.session, there.device, there.current, there.remembered], ["Zz9", null, false, true]);
  assert.equal(here.signedInAt.toISOString(), "2026-10-01T09:00:00.000Z");
  assert.deepEqual(asked, ["GET https://stats.example/v/api/sessions"]);
});

test("a session is ended by its name, or all others are", async () => {
  answer = says(204);
  assert.equal(await ask("endSession", "a/b"), undefined);
  await ask("endSession", { others: true });
  assert.deepEqual(asked, ["DELETE https://stats.example/v/api/sessions/a%2Fb", "DELETE https://stats.example/v/api/sessions?others=true"]);
  answer = says(503, { detail: "come back" });
  await assert.rejects(ask("endSession", "a"), { status: 503, message: "come back" });
  answer = says(404, { type: "not-found" });
  await ask("endSession", "ended already");
  answer = says(401, {});
  await assert.rejects(ask("endSession", "a"), { status: 401 });
});

test("what is stored of the visitor is asked page by page", async () => {
  const pages = [
    { visitor_id: "v_1", visits: [{ id: "a", page_views: [1] }], orders: [], refunds: [], next: "x+y" },
    { visitor_id: "v_1", visits: [{ id: "a", page_views: [2] }], orders: [3], refunds: [], next: null },
  ];
  answer = () => says(200, pages.shift())();
  const lists = { page_views: [1, 2], events: [], orders: [], refunds: [], sessions: [] };
  assert.deepEqual(await ask("visitorData"), { visitor_id: "v_1", visits: [{ id: "a", ...lists }], orders: [3], refunds: [] });
  const path = "GET https://stats.example/v/api/privacy/visitor";
  assert.deepEqual(asked, [path, `${path}?after=x%2By`]);
  answer = says(400, { type: "invalid-query" });
  assert.equal(await ask("visitorData"), null, "the browser has no identifier");
  answer = says(403, { detail: "ask the site" });
  await assert.rejects(ask("visitorData"), { status: 403, message: "ask the site" });
  answer = says(200, { other: 1 });
  await assert.rejects(ask("visitorData"), { status: 0 });
});

test("to ask loads one file, whatever the consent, and nothing else", async () => {
  globalThis.location = new URL("https://shop.example/");
  globalThis.document = { referrer: "" };
  globalThis.frameElement = null;
  globalThis.navigator ??= {};
  globalThis.addEventListener = () => {};
  const loaded = [];
  const client = create((what, options, ...given) => {
    loaded.push([what, options.endpoint, ...given]);
    return Promise.resolve("answer");
  }, "/");
  client.init({ consent: "denied", endpoint: "/v" });
  assert.equal(await client.session(), "answer");
  await client.endSession("tag");
  assert.deepEqual(loaded, [
    ["session-", "https://shop.example/v", "session"],
    ["session-", "https://shop.example/v", "endSession", "tag"],
  ]);
});
