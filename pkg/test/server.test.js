// visitflow/server, before a server that answers what a test wants: also what no healthy one says.
// The frameworks: kits.test.js. tests/tests/all/examples drives it before the real server.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { sessions } from "visitflow/server";
import { ACTIVE, TOKEN, says, standIn } from "./stand-in.js";

let server;

before(async () => {
  server = await standIn();
});
after(() => server.close());
beforeEach(() => server.reset());

const kit = (options) => sessions({ endpoint: server.endpoint, key: "vf_key", ...options });
const request = (cookie) => new Request("http://site.test/", { headers: cookie === undefined ? {} : { cookie } });

test("a live session has its user, in whatever carries the cookie", async () => {
  server.answer = says(200, ACTIVE, { "set-cookie": ["session_id=new; HttpOnly; Path=/"] });
  const cookie = `city=K\u00f6ln; session_id=${TOKEN}; x=1`;
  const carriers = [
    request(`session_id=${TOKEN}`),
    { headers: { cookie } },
    { headers: { cookie: ["a=b", `session_id=${TOKEN}`] } },
    new Headers({ cookie: `session_id=${TOKEN}` }),
  ];
  for (const carrier of carriers) {
    const found = await kit().session(carrier);
    assert.equal(found.state, "active");
    assert.equal(found.user, "ada");
    assert.equal(found.visitor, ACTIVE.visitor_id);
    assert.equal(found.expiresAt.getTime(), ACTIVE.exp * 1000);
    assert.deepEqual(found.setCookie, ["session_id=new; HttpOnly; Path=/"]);
  }
  assert.deepEqual(server.asked[0], { path: "POST /api/session/introspect", key: "Bearer vf_key", body: { token: TOKEN, touch: true } });
});

test("without a token of ours nobody is asked", async () => {
  for (const cookie of [undefined, "", "session_id=", "session_id=somebody-elses", `session=${TOKEN}`, "session_id"]) {
    assert.equal((await kit().session(request(cookie))).state, "none", cookie);
  }
  assert.equal(server.asked.length, 0);
});

test("a cookie of the same name that is not ours hides no session", async () => {
  const found = await kit().session(request(`session_id=theirs; session_id=${TOKEN}`));
  assert.equal(found.user, "ada");
});

test("of two tokens neither is right", async () => {
  const other = TOKEN.replaceAll("b", "c");
  assert.equal((await kit().session(request(`session_id=${TOKEN}; session_id=${other}`))).state, "none");
  assert.equal((await kit().session(request(`session_id=${TOKEN}; session_id=${TOKEN}`))).state, "active");
});

test("an inactive token is no session", async () => {
  server.answer = says(200, { active: false });
  assert.deepEqual(await kit().session(request(`session_id=${TOKEN}`)), { state: "none", user: null, setCookie: [] });
});

test("what nobody can tell is unknown and not signed out", async () => {
  const faults = {
    "503": says(503, { type: "unavailable" }, { "retry-after": "7" }),
    "502": says(502, null),
    "429": says(429, null, { "retry-after": "7" }),
    "a negative wait": says(503, null, { "retry-after": "-5" }),
    "html": (request, response) => response.writeHead(200).end("<html>"),
    "nothing": says(204, null),
    "null": (request, response) => response.writeHead(200).end("null"),
    "somebody else": says(200, { status: "ok" }),
    "a word for a boolean": says(200, { ...ACTIVE, active: "false" }),
    "a redirect": says(302, null, { location: "/elsewhere" }),
    "half an answer": (request, response) => {
      response.writeHead(200, { "content-length": "100" }).write("{");
      setTimeout(() => response.destroy(), 20);
    },
    "an answer that hangs": (request, response) => response.writeHead(200).write("{"),
    "no answer": () => {},
    "a broken connection": (request, response) => response.destroy(),
  };
  for (const [name, fault] of Object.entries(faults)) {
    server.answer = fault;
    const found = await kit({ timeoutMs: 200 }).session(request(`session_id=${TOKEN}`));
    assert.equal(found.state, "unknown", name);
    assert.equal(found.user, null, name);
    assert.ok(found.retryAfter >= 2, name);
  }
  const nowhere = sessions({ endpoint: "http://127.0.0.1:9", key: "vf_key" });
  assert.equal((await nowhere.session(request(`session_id=${TOKEN}`))).state, "unknown");
  await assert.rejects(nowhere.bind(request(), "ada"), { status: 503, headers: { "retry-after": "2" }, message: /no answer from http:\/\/127.0.0.1:9/ });
});

test("a wrong key is a mistake that is told, and signs nobody out", async () => {
  server.answer = says(401, { detail: "The API key is wrong" });
  const told = [];
  const found = await kit({ onError: (error) => told.push(error.message) }).session(request(`session_id=${TOKEN}`));
  assert.equal(found.state, "unknown");
  assert.match(told[0], /401 .*The API key is wrong/s);
  assert.throws(() => sessions({ endpoint: server.endpoint, key: undefined }), /visitflow key add/);
  assert.throws(() => sessions({ endpoint: "127.0.0.1:8080", key: "k" }), /http/);
});

test("a key may be known later only", async () => {
  const told = [];
  let key;
  const { session } = sessions({ endpoint: server.endpoint, key: () => key, onError: (error) => told.push(error.message) });
  assert.equal((await session(request(`session_id=${TOKEN}`))).state, "unknown");
  assert.match(told[0], /visitflow key add/);
  key = Promise.resolve("vf_later");
  assert.equal((await session(request(`session_id=${TOKEN}`))).user, "ada");
  assert.deepEqual(server.asked.map(({ key }) => key), ["Bearer vf_later"]);
});

test("a site that checks passwords itself signs in and out", async () => {
  server.answer = says(200, { user_id: "ada", set_cookie: "session_id=new; HttpOnly" });
  assert.deepEqual(await kit().bind(request(`session_id=${TOKEN}`), "ada"), { setCookie: ["session_id=new; HttpOnly"] });
  assert.deepEqual(server.asked[0].body, { user_id: "ada", token: TOKEN });
  const agent = { "user-agent": "Mozilla/5.0 Firefox/150.0" };
  await kit().bind({ headers: agent }, "ada");
  await kit().bind(new Headers(agent), "ada");
  for (const { body } of server.asked.splice(1)) assert.deepEqual(body, { user_id: "ada", user_agent: agent["user-agent"] });
  await kit().bind(request(), "ada", { visit: false, remember: true });
  assert.deepEqual(server.asked[1].body, { user_id: "ada", visit: false, remember: true });
  server.answer = says(200, { set_cookie: null });
  assert.deepEqual(await kit().unbind(request(`session_id=${TOKEN}`)), { setCookie: [] });
  assert.equal(server.asked[2].path, "POST /api/session/unbind");
  server.answer = says(204);
  assert.equal(await kit().endSessions("ada/lovelace"), undefined);
  assert.equal(server.asked[3].path, "DELETE /api/sessions?user_id=ada%2Flovelace");
});

test("the status of an error is one for the visitor", async () => {
  for (const [answered, status] of [[401, 500], [403, 500], [400, 500], [404, 500], [409, 409], [429, 429], [408, 503], [502, 503], [503, 503]]) {
    server.answer = says(answered, { detail: "no" });
    await assert.rejects(kit().bind(request(`session_id=${TOKEN}`), "ada"), { status, message: new RegExp(`${answered} from .*bind`) });
    await assert.rejects(kit().endSessions("ada"), { status });
  }
});

test("what answers as no visitflow server does is a mistake that is told", async () => {
  const told = [];
  const strange = kit({ onError: (error) => told.push(error.message) });
  for (const body of [undefined, {}, "<html>"]) {
    server.answer = says(200, body);
    await assert.rejects(strange.unbind(request(`session_id=${TOKEN}`)), { status: 500, message: /no server of visitflow/ });
    await assert.rejects(strange.endSessions("ada"), { status: 500 });
    assert.equal((await strange.session(request(`session_id=${TOKEN}`))).state, "unknown");
  }
  assert.equal(told.length, 3);
  for (const key of ["schl\u00fcssel\u2026", async () => { throw new Error("no key today"); }]) {
    assert.equal((await kit({ key, onError: (error) => told.push(error.message) }).session(request(`session_id=${TOKEN}`))).state, "unknown");
  }
  assert.equal(told.length, 5);
});

test("sessions end of a user who is named", async () => {
  for (const user of [undefined, null, "", 7]) await assert.rejects(kit().endSessions(user), TypeError);
  assert.equal(server.asked.length, 0);
});

test("after how long to ask again is a number of seconds", async () => {
  for (const [header, seconds] of [["7", 7], ["Wed, 21 Oct 2026 07:28:00 GMT", 2], [undefined, 2]]) {
    server.answer = says(503, {}, header && { "retry-after": header });
    const headers = { "retry-after": String(seconds) };
    await assert.rejects(kit().bind(request(`session_id=${TOKEN}`), "ada"), { retryAfter: seconds, headers });
  }
});

test("with two tokens nobody is signed in or out", async () => {
  const both = request(`session_id=${TOKEN}; session_id=${TOKEN.replaceAll("b", "c")}`);
  await assert.rejects(kit().bind(both, "ada"), { status: 400, message: /several cookies session_id/ });
  await assert.rejects(kit().unbind(both), { status: 400 });
  assert.equal(server.asked.length, 0);
});

test("nothing is remembered unless it is asked for", async (t) => {
  const { session } = kit();
  await session(request(`session_id=${TOKEN}`));
  await session(request(`session_id=${TOKEN}`));
  assert.equal(server.asked.length, 2);

  server.answer = says(200, ACTIVE, { "set-cookie": ["session_id=new"] });
  const cached = kit({ cacheMs: 60_000, touch: false });
  assert.equal((await cached.session(request(`session_id=${TOKEN}`))).setCookie.length, 1);
  const again = await cached.session(request(`session_id=${TOKEN}`));
  assert.deepEqual([again.user, again.setCookie], ["ada", []]);
  assert.equal(server.asked.length, 3);
  assert.equal(server.asked[2].body.touch, false);
  const short = kit({ cacheMs: 1_000 });
  t.mock.timers.enable({ apis: ["Date"], now: 1_790_000_000_000 });
  await short.session(request(`session_id=${TOKEN}`));
  t.mock.timers.tick(999);
  await short.session(request(`session_id=${TOKEN}`));
  t.mock.timers.tick(1);
  await short.session(request(`session_id=${TOKEN}`));
  assert.equal(server.asked.length, 5, "what has been remembered for long enough is asked again");
});

test("a question may ask without touching the session", async () => {
  await kit().session(request(`session_id=${TOKEN}`), { touch: false });
  await kit({ touch: false }).session(request(`session_id=${TOKEN}`));
  await kit({ touch: false }).session(request(`session_id=${TOKEN}`), { touch: true });
  assert.deepEqual(server.asked.map(({ body }) => body.touch), [false, false, true]);
});
