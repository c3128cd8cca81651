// examples/express/own-users.js, which docs/sessions.md shows whole, before a stand-in for the server.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ACTIVE, TOKEN, says, standIn } from "./stand-in.js";

const pkg = fileURLToPath(new URL("..", import.meta.url));
const EXAMPLE = join(pkg, "../examples/express/own-users.js");
const SITE = "https://site.test";
const folder = mkdtempSync(join(tmpdir(), "visitflow-example-"));
let server, site, origin;

before(async () => {
  server = await standIn();
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(pkg, join(folder, "node_modules/visitflow"));
  symlinkSync(join(pkg, "node_modules/express"), join(folder, "node_modules/express"));
  copyFileSync(EXAMPLE, join(folder, "site.mjs"));
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  const env = { ...process.env, PORT: port, SITE, VISITFLOW_SERVER: server.endpoint, SESSIONS_KEY: "vf_key", NODE_ENV: "production" };
  site = spawn(process.execPath, ["site.mjs"], { cwd: folder, env, stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(site, "exit").then(() => assert.fail("the site has ended"));
  await Promise.race([once(site.stdout, "data"), ended]);
  ended.catch(() => {}); // at the end of the tests
});
after(() => {
  site.kill();
  server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => server.reset());

async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

const get = (path) => fetch(origin + path, { headers: { cookie: `session_id=${TOKEN}` }, redirect: "manual" });
const post = (path, fields, from = SITE) =>
  fetch(origin + path, { method: "POST", body: fields && new URLSearchParams(fields), headers: { origin: from }, redirect: "manual" });
const goesTo = (answer, path) => assert.deepEqual([answer.status, answer.headers.get("location")], [302, path]);

test("docs/sessions.md shows the file as it is", () => {
  const [, ...program] = readFileSync(EXAMPLE, "utf8").split("\n"); // the first line is for those who open the file
  const docs = readFileSync(join(pkg, "../docs/sessions.md"), "utf8");
  assert.ok(docs.includes(`\`\`\`js\n${program.join("\n")}\`\`\``), "docs/sessions.md differs from examples/express/own-users.js");
});

test("the right password signs in, and the cookie is passed on to one browser", async () => {
  server.answer = says(200, { user_id: "17", set_cookie: "session_id=new; HttpOnly" });
  const answer = await post("/login", { name: "ada", password: "correct horse" });
  goesTo(answer, "/account");
  assert.deepEqual(answer.headers.getSetCookie(), ["session_id=new; HttpOnly"]);
  assert.equal(answer.headers.get("cache-control"), "private, no-store");
  assert.equal(server.asked[0].body.user_id, "17");
});

test("a wrong password, or none, signs nobody in", async () => {
  for (const fields of [{ name: "ada", password: "wrong" }, {}, undefined]) goesTo(await post("/login", fields), "/sign-in?wrong");
  assert.match(await (await get("/sign-in?wrong")).text(), /Wrong name or password/);
  assert.doesNotMatch(await (await get("/sign-in")).text(), /Wrong/);
  assert.equal(server.asked.length, 0);
});

test("another site signs nobody in or out", async () => {
  for (const path of ["/login", "/logout"]) {
    assert.equal((await post(path, { name: "ada", password: "correct horse" }, "https://evil.test")).status, 403);
  }
  assert.equal(server.asked.length, 0);
});

test("the account is for users of the site alone", async () => {
  server.answer = says(200, { ...ACTIVE, sub: "17" });
  assert.match(await (await get("/account")).text(), /Signed in as ada/);
  for (const sub of [undefined, "u_018f3a5e", "18"]) {
    server.answer = says(200, { ...ACTIVE, sub });
    goesTo(await get("/account"), "/sign-in");
  }
});

test("a sign-out passes the cookie on, if there is one", async () => {
  for (const set_cookie of ["session_id=; Max-Age=0", null]) {
    server.answer = says(200, { set_cookie });
    const answer = await post("/logout");
    goesTo(answer, "/sign-in");
    assert.deepEqual(answer.headers.getSetCookie(), set_cookie ? [set_cookie] : []);
  }
});

test("where nobody can tell, every answer is 503 and says when to try again", async () => {
  server.answer = says(503, {}, { "retry-after": "7" });
  for (const answer of [await get("/account"), await post("/logout"), await post("/login", { name: "ada", password: "correct horse" })]) {
    assert.deepEqual([answer.status, answer.headers.get("retry-after")], [503, "7"]);
    assert.deepEqual(answer.headers.getSetCookie(), []);
  }
});
