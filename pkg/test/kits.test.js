// The kits of visitflow/server within their frameworks: one list of facts for all of them. Next.js itself
// runs in examples/next-session.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { sessions } from "visitflow/server";
import { ACTIVE, TOKEN, says, standIn } from "./stand-in.js";

let server;

before(async () => {
  server = await standIn();
});
after(() => server.close());
beforeEach(() => server.reset());

const kit = () => sessions({ endpoint: server.endpoint, key: "vf_key" });
const told = ({ state, user }) => `${state} ${user}`;
const CACHED = "public, max-age=3600";

/**
 * A site in each framework: `/` for all, with a cookie of its own and a word for caches, `/account` for
 * users alone, `/elsewhere` too but with a redirect, `/later` too but with a 503 of its own, `/fails`. Each gives a
 * function that asks for a path.
 */
const sites = {
  async express() {
    const visitflow = kit();
    const app = express();
    app.get("/", visitflow.express(), (request, response) => {
      response.cookie("own", "1").set("cache-control", CACHED).send(told(request.visitflow));
    });
    app.get("/account", visitflow.express({ require: "user" }), (request, response) => response.send(request.visitflow.user));
    const onUnauthorized = (request, response) => response.redirect("/sign-in");
    app.get("/elsewhere", visitflow.express({ require: "user", onUnauthorized }), (request, response) => response.send("in"));
    const onUnknown = async (request, response) => {
      response.status(503).set("retry-after", request.visitflow.retryAfter).send("later");
    };
    app.get("/later", visitflow.express({ require: "user", onUnknown }), (request, response) => response.send("in"));
    app.get("/fails", visitflow.express(), () => {
      throw new Error("of the page");
    });
    app.use((error, request, response, next) => response.status(500).send("sorry"));
    return listening((port, done) => app.listen(port, "127.0.0.1", done));
  },

  async hono() {
    const visitflow = kit();
    const app = new Hono();
    app.get("/", visitflow.hono(), (c) => c.text(told(c.get("visitflow")), 200, { "set-cookie": "own=1", "cache-control": CACHED }));
    app.get("/account", visitflow.hono({ require: "user" }), (c) => c.text(c.get("visitflow").user));
    // An answer whose headers cannot be changed, as that of fetch().
    const onUnauthorized = (c) => Response.redirect(new URL("/sign-in", c.req.url));
    app.get("/elsewhere", visitflow.hono({ require: "user", onUnauthorized }), (c) => c.text("in"));
    const onUnknown = (c) => c.text("later", 503, { "retry-after": String(c.get("visitflow").retryAfter) });
    app.get("/later", visitflow.hono({ require: "user", onUnknown }), (c) => c.text("in"));
    app.get("/fails", visitflow.hono(), () => {
      throw new Error("of the page");
    });
    app.onError((error, c) => c.text("sorry", 500));
    return { get: async (path, headers) => app.request(path, { headers }), close() {} };
  },

  async fastify() {
    const visitflow = kit();
    const app = Fastify();
    app.get("/", { onRequest: visitflow.fastify() }, async (request, reply) => {
      reply.header("set-cookie", "own=1").header("Cache-Control", CACHED);
      return told(request.visitflow);
    });
    app.get("/account", { onRequest: visitflow.fastify({ require: "user" }) }, async (request) => request.visitflow.user);
    const onUnauthorized = (request, reply) => reply.redirect("/sign-in");
    app.get("/elsewhere", { onRequest: visitflow.fastify({ require: "user", onUnauthorized }) }, async () => "in");
    const onUnknown = (request, reply) => reply.code(503).header("retry-after", request.visitflow.retryAfter).send("later");
    app.get("/later", { onRequest: visitflow.fastify({ require: "user", onUnknown }) }, async () => "in");
    app.get("/fails", { onRequest: visitflow.fastify() }, async () => {
      throw new Error("of the page");
    });
    const address = await app.listen({ port: 0, host: "127.0.0.1" });
    return { get: (path, headers) => fetch(address + path, { headers, redirect: "manual" }), close: () => app.close() };
  },

  async next() {
    const { next } = kit();
    const pages = {
      "/": next.handler((request) => new Response(told(request.visitflow), { headers: { "set-cookie": "own=1", "cache-control": CACHED } })),
      "/account": next.handler((request) => new Response(request.visitflow.user), { require: "user" }),
      "/elsewhere": next.handler(() => new Response("in"), {
        require: "user",
        onUnauthorized: (request) => Response.redirect(new URL("/sign-in", request.url)),
      }),
      "/later": next.handler(() => new Response("in"), {
        require: "user",
        onUnknown: ({ visitflow: { retryAfter } }) => new Response("later", { status: 503, headers: { "retry-after": String(retryAfter) } }),
      }),
      "/fails": next.handler(() => {
        throw new Error("of the page");
      }),
    };
    // Next.js makes of what a handler throws an answer of its own.
    const get = (path, headers) =>
      pages[path](new Request(`http://site.test${path}`, { headers })).catch(() => new Response("sorry", { status: 500 }));
    return { get, close() {} };
  },

  async sveltekit() {
    const { sveltekit } = kit();
    const page = (render) => async (event) => render(event);
    const pages = {
      "/": [sveltekit(), page(({ locals }) => new Response(told(locals.visitflow), { headers: { "set-cookie": "own=1", "cache-control": CACHED } }))],
      "/account": [sveltekit({ require: "user" }), page(({ locals }) => new Response(locals.visitflow.user))],
      "/elsewhere": [sveltekit({ require: "user", onUnauthorized: ({ url }) => Response.redirect(new URL("/sign-in", url)) }), page(() => new Response("in"))],
      "/later": [
        sveltekit({
          require: "user",
          onUnknown: ({ locals }) => new Response("later", { status: 503, headers: { "retry-after": String(locals.visitflow.retryAfter) } }),
        }),
        page(() => new Response("in")),
      ],
      "/fails": [sveltekit(), page(() => Promise.reject(new Error("of the page")))],
    };
    const get = (path, headers) => {
      const [handle, resolve] = pages[path];
      const request = new Request(`http://site.test${path}`, { headers });
      const event = { request, url: new URL(request.url), locals: {} };
      return handle({ event, resolve }).catch(() => new Response("sorry", { status: 500 }));
    };
    return { get, close() {} };
  },
};

function listening(listen) {
  return new Promise((resolve) => {
    const listener = listen(0, () =>
      resolve({
        get: (path, headers, method = "GET") =>
          fetch(`http://127.0.0.1:${listener.address().port}${path}`, { method, headers, redirect: "manual" }),
        close() {
          listener.closeAllConnections();
          listener.close();
        },
      }),
    );
  });
}

for (const [name, start] of Object.entries(sites)) {
  test(name, async (t) => {
    const site = await start();
    t.after(() => site.close());
    const get = (path, cookie = `session_id=${TOKEN}`) => site.get(path, { cookie });

    await t.test("a page knows its user", async () => {
      const answer = await get("/");
      assert.equal(await answer.text(), "active ada");
      assert.equal(answer.headers.get("cache-control"), CACHED);
      assert.deepEqual(answer.headers.getSetCookie().map((text) => text.split(";")[0]), ["own=1"]);
      assert.equal(await (await get("/account")).text(), "ada");
    });

    await t.test("every request asks", async () => {
      server.reset();
      await get("/");
      await get("/");
      assert.equal(server.asked.length, 2);
      assert.deepEqual(server.asked[1].body, { token: TOKEN, touch: true });
    });

    await t.test("cookies pass untouched, beside the page's own, and no cache keeps them", async () => {
      const cookies = ["session_id=new; HttpOnly; Secure; SameSite=Lax; Path=/; Max-Age=1800", "visitor_id=v; Path=/"];
      server.answer = says(200, ACTIVE, { "set-cookie": cookies });
      const answer = await get("/");
      assert.equal(await answer.text(), "active ada");
      const sent = answer.headers.getSetCookie();
      assert.deepEqual(sent.filter((text) => !text.startsWith("own=1")), cookies);
      assert.equal(sent.length, 3);
      assert.equal(answer.headers.get("cache-control"), "no-store");

      server.answer = says(200, { ...ACTIVE, sub: undefined }, { "set-cookie": cookies });
      for (const path of ["/account", "/elsewhere"]) {
        const refused = await get(path);
        assert.deepEqual(refused.headers.getSetCookie(), cookies, path);
        assert.equal(refused.headers.get("cache-control"), "no-store", path);
      }
      server.answer = says(200, ACTIVE);
    });

    await t.test("who is not signed in is asked to, or sent elsewhere", async () => {
      for (const said of [{ ...ACTIVE, sub: undefined }, { active: false }]) {
        server.answer = says(200, said);
        const refused = await get("/account");
        assert.deepEqual([refused.status, await refused.text()], [401, "Please sign in."]);
        assert.match(refused.headers.get("content-type"), /^text\/plain/);
        const sent = await get("/elsewhere");
        assert.equal(sent.status, 302);
        assert.match(sent.headers.get("location"), /\/sign-in$/);
      }
      for (const path of ["/account", "/later"]) assert.equal((await get(path, "")).status, 401, path);
      assert.equal(await (await get("/", "")).text(), "none null");
    });

    await t.test("what nobody can tell is for the page to decide, or 503", async () => {
      server.answer = says(503, { type: "unavailable" }, { "retry-after": "7" });
      assert.equal(await (await get("/")).text(), "unknown null");
      for (const path of ["/account", "/elsewhere", "/later"]) {
        const answer = await get(path);
        assert.equal(answer.status, 503, path);
        const text = path === "/later" ? "later" : "It is not known who is signed in. Try again in a moment.";
        assert.equal(await answer.text(), text);
        assert.equal(answer.headers.get("retry-after"), "7");
        assert.deepEqual(answer.headers.getSetCookie(), []);
      }
      server.answer = says(200, ACTIVE);
    });

    await t.test("an error of the page stays the page's", async () => {
      assert.equal((await get("/fails")).status, 500);
    });

    await t.test("a word that `require` does not know is a mistake", () => {
      assert.throws(() => (name === "next" ? kit().next.handler(() => {}, { require: "users" }) : kit()[name]({ require: "users" })), /require/);
    });
  });
}

test("in Express and Fastify an error of bind is answered with its status, and with when to try again", async (t) => {
  const visitflow = kit();
  const signIn = async (request) => (await visitflow.bind(request, "ada")).setCookie;
  const app = express().set("env", "production");
  app.post("/login", async (request, response) => response.send(await signIn(request)));
  const site = await listening((port, done) => app.listen(port, "127.0.0.1", done));
  t.after(() => site.close());
  const fastify = Fastify();
  fastify.post("/login", signIn);
  t.after(() => fastify.close());
  const logins = {
    express: () => site.get("/login", {}, "POST"),
    fastify: async () => {
      const { statusCode, headers } = await fastify.inject({ method: "POST", url: "/login" });
      return { status: statusCode, headers: new Headers(headers) };
    },
  };
  t.mock.method(console, "error", () => {}); // Express tells of each
  server.answer = says(503, {});
  const page = await logins.express();
  assert.match(await page.text(), /<pre>Service Unavailable<\/pre>/);
  assert.equal(page.headers.get("retry-after"), "2");
  for (const [name, login] of Object.entries(logins)) {
    for (const [answered, status, wait] of [[503, 503, "7"], [429, 429, "7"], [409, 409, null], [401, 500, null]]) {
      server.answer = says(answered, {}, { "retry-after": "7" });
      const answer = await login();
      assert.deepEqual([answer.status, answer.headers.get("retry-after")], [status, wait], `${name} ${answered}`);
    }
  }
});

test("in Express what an answer of one's own throws is an error of the page", async (t) => {
  const app = express();
  const onUnauthorized = async () => {
    throw new Error("of the page");
  };
  app.get("/", kit().express({ require: "user", onUnauthorized }), (request, response) => response.send("in"));
  app.use((error, request, response, next) => response.status(500).send("sorry"));
  const site = await listening((port, done) => app.listen(port, "127.0.0.1", done));
  t.after(() => site.close());
  assert.equal((await site.get("/", {})).status, 500);
});

test("in Next.js a server component asks without touching the session", async () => {
  const found = await kit().next.session(new Headers({ cookie: `session_id=${TOKEN}` }));
  assert.equal(found.user, "ada");
  assert.deepEqual(server.asked[0].body, { token: TOKEN, touch: false });
});

test("in Next.js a server action sets the cookie that it is told", () => {
  const set = [];
  kit().next.setCookies({ set: (cookie) => set.push(cookie) }, [
    "session_id=s_a.b; HttpOnly; Secure; SameSite=Lax; Path=/; Max-Age=1800; Domain=shop.example",
    "__Host-session_id=; HttpOnly; Secure; SameSite=Lax; Path=/; Max-Age=0",
  ]);
  const all = { httpOnly: true, secure: true, sameSite: "lax", path: "/" };
  assert.deepEqual(set, [
    { name: "session_id", value: "s_a.b", ...all, maxAge: 1800, domain: "shop.example" },
    { name: "__Host-session_id", value: "", ...all, maxAge: 0 },
  ]);
});

test("in Next.js a handler without an answer is a mistake that is told", async () => {
  const handle = kit().next.handler(() => undefined);
  await assert.rejects(handle(new Request("http://site.test/")), /NextResponse\.next\(\)/);
});
