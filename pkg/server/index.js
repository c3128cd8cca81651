// visitflow for backends: whose session a request belongs to. No dependencies; any runtime with
// `fetch`. What the server answers, and when: docs/sessions.md of the repository. The kits of frameworks,
// one in each file: express.js, hono.js, fastify.js, next.js, sveltekit.js.

import { express } from "./express.js";
import { fastify } from "./fastify.js";
import { hono } from "./hono.js";
import { next } from "./next.js";
import { sveltekit } from "./sveltekit.js";

/** What the server issues: a tag of 128 bits and a secret of 256, base64url. */
const TOKEN = /^s_[\w-]{22}\.[\w-]{43}$/;

const NONE = Object.freeze({ state: "none", user: null, setCookie: Object.freeze([]) });

/** Seconds to wait where the server does not say. */
const RETRY_AFTER = 2;

/** Asks a visitflow server. */
export function sessions({
  endpoint,
  key,
  cookieName = "session_id",
  timeoutMs = 2000,
  touch: touched = true,
  cacheMs = 0,
  onError = onceAMinute((error) => console.error(error.message)),
}) {
  const base = `${String(endpoint).replace(/\/+$/, "")}/api`;
  if (!/^https?:/.test(base)) throw new TypeError("visitflow: endpoint is an http(s) address of the server");
  if (!key) throw noKey();
  const known = new Map();

  /** The text of an answer, with its cookies. */
  async function send(method, path, body) {
    const secret = typeof key === "function" ? await key() : key;
    if (!secret) throw Object.assign(noKey(), { status: 500, isMistake: true });
    const request = {
      method,
      headers: new Headers({ "content-type": "application/json", authorization: `Bearer ${secret}` }),
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
      cache: "no-store", // frameworks may keep answers otherwise
      redirect: "manual", // workers know no "error"
    };
    const away = (cause) => {
      const error = new Error(`visitflow: no answer from ${base}${path}: ${cause.message}`, { cause });
      throw Object.assign(error, refusal(503, RETRY_AFTER));
    };
    const answer = await fetch(base + path, request).catch(away);
    const text = await answer.text().catch(away);
    if (!answer.ok) {
      const error = new Error(`visitflow: ${answer.status} from ${base}${path}: ${text.slice(0, 500)}`);
      const seconds = Number(answer.headers.get("retry-after"));
      throw Object.assign(error, refusal(answer.status, seconds > 0 ? seconds : RETRY_AFTER));
    }
    return { status: answer.status, said: parsed(text), cookies: answer.headers.getSetCookie() };
  }

  const stranger = (path) => Object.assign(new Error(`visitflow: what answers at ${base}${path} is no server of visitflow`), { status: 500, isMistake: true });

  async function ask(token, touch) {
    try {
      const { said, cookies } = await send("POST", "/session/introspect", { token, touch });
      if (said?.active === true) return active(said, cookies);
      if (said?.active === false) return NONE;
      throw stranger("/session/introspect");
    } catch (cause) {
      if (cause.isMistake || cause.status === undefined) onError(cause);
      return { state: "unknown", user: null, retryAfter: cause.retryAfter > 0 ? cause.retryAfter : RETRY_AFTER, cause, setCookie: [] };
    }
  }

  /** Whose session the request belongs to. Takes a `Request`, Node's `IncomingMessage`, or `Headers`. */
  async function session(request, { touch = touched } = {}) {
    const tokens = tokensOf(request, cookieName);
    // Of two neither is known to be right.
    if (tokens.length !== 1) return NONE;
    const [token] = tokens;
    if (!cacheMs) return ask(token, touch);
    const now = Date.now();
    for (const [old, { until }] of known) {
      if (until > now) break;
      known.delete(old);
    }
    const held = known.get(token);
    if (held && held.until > now) return held.found;
    const found = await ask(token, touch);
    known.delete(token);
    // A cookie is for the one answer that brought it.
    if (found.state === "active") known.set(token, { found: { ...found, setCookie: [] }, until: now + cacheMs });
    return found;
  }

  /** Signs the session of a request in or out; throws if that was not done. */
  async function change(path, request, body) {
    const tokens = tokensOf(request, cookieName);
    if (tokens.length > 1) {
      const error = new Error(`visitflow: the browser has several cookies ${cookieName}, and would keep the others`);
      throw Object.assign(error, { status: 400 });
    }
    const { said } = await send("POST", path, { ...body, token: tokens[0] });
    if (said?.set_cookie === undefined) throw stranger(path);
    return { setCookie: said.set_cookie === null ? [] : [said.set_cookie] };
  }

  /** Signs a user of the site in, whose password the site has checked. Add `setCookie` to the answer. */
  const bind = (request, userId, { visit, remember } = {}) =>
    change("/session/bind", request, { user_id: userId, visit, remember, user_agent: header(request, "user-agent") });

  /** Signs out. Add `setCookie` to the answer. */
  const unbind = (request) => change("/session/unbind", request, {});

  /** Ends all sessions of a user, in every browser. */
  async function endSessions(userId) {
    if (typeof userId !== "string" || userId === "") throw new TypeError("visitflow: endSessions takes the id of a user, as a text");
    const { status } = await send("DELETE", `/sessions?user_id=${encodeURIComponent(userId)}`);
    if (status !== 204) throw stranger("/sessions");
  }

  const kits = { express: express(session), hono: hono(session), fastify: fastify(session), next: next(session), sveltekit: sveltekit(session) };
  return { session, bind, unbind, endSessions, ...kits };
}

const noKey = () => new TypeError("visitflow: key is an API key: visitflow key add NAME --scope session");

/** What a text says in JSON; undefined if it is none. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The status to answer the browser with, with when to try again; or that the refusal is a mistake of this program.
 * Express and Fastify send `headers` of an error by themselves.
 */
function refusal(status, retryAfter) {
  const later = { retryAfter, headers: { "retry-after": String(retryAfter) } };
  if (status === 409) return { status };
  if (status === 429) return { status, ...later };
  if (status >= 500 || status === 408) return { status: 503, ...later };
  // Such as a wrong key. Asking again does not help.
  return { status: 500, isMistake: true };
}

function active({ sub, sid, iat, exp, visitor_id, site, generation }, setCookie) {
  return {
    state: "active",
    user: sub ?? null,
    session: sid,
    visitor: visitor_id ?? null,
    site: site ?? null,
    createdAt: new Date(iat * 1000),
    expiresAt: new Date(exp * 1000),
    generation,
    setCookie,
  };
}

/** A header of whatever carries headers: a text, undefined, or with Node several. */
function header(request, name) {
  const headers = request?.headers ?? request;
  return (typeof headers?.get === "function" ? headers.get(name) : headers?.[name]) ?? undefined;
}

/** The different tokens of a request. Other applications' cookies of the same name are passed over. */
function tokensOf(request, name) {
  const pairs = [header(request, "cookie") ?? []].flat().join(";").split(";");
  const values = pairs.filter((pair) => pair.slice(0, pair.indexOf("=")).trim() === name).map((pair) => pair.slice(pair.indexOf("=") + 1).trim());
  return [...new Set(values.filter((text) => TOKEN.test(text)))];
}

function onceAMinute(act) {
  let due = 0;
  return (...what) => {
    if (Date.now() < due) return;
    due = Date.now() + 60_000;
    act(...what);
  };
}
