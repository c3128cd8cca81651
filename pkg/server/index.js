// visitflow for backends: whose session a request belongs to. No dependencies; any runtime with
// `fetch`. What the server answers, and when: docs/sessions.md of the repository. The kits of frameworks,
// one in each file: express.js, hono.js, fastify.js, next.js.

import { express } from "./express.js";
import { fastify } from "./fastify.js";
import { hono } from "./hono.js";
import { next } from "./next.js";

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
  const base = `${String(endpoint).replace(/\/+$/, "")}/api/session`;
  if (!/^https?:/.test(base)) throw new TypeError("visitflow: endpoint is an http(s) address of the server");
  if (!key) throw noKey();
  const known = new Map();

  /** The answer to a question, as JSON, with its cookies. */
  async function post(name, body) {
    const secret = typeof key === "function" ? await key() : key;
    if (!secret) throw Object.assign(noKey(), { status: 401 });
    const request = {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
      cache: "no-store", // frameworks may keep answers otherwise
      redirect: "manual", // workers know no "error"
    };
    const away = (cause) => {
      const error = new Error(`visitflow: no answer from ${base}/${name}: ${cause.message}`, { cause });
      throw Object.assign(error, { status: 503, retryAfter: RETRY_AFTER });
    };
    const answer = await fetch(`${base}/${name}`, request).catch(away);
    const text = await answer.text().catch(away);
    if (!answer.ok) {
      const error = new Error(`visitflow: ${answer.status} from ${base}/${name}: ${text.slice(0, 500)}`);
      throw Object.assign(error, { status: answer.status, retryAfter: Number(answer.headers.get("retry-after")) });
    }
    return { said: JSON.parse(text), cookies: answer.headers.getSetCookie() };
  }

  async function ask(token, touch) {
    try {
      const { said, cookies } = await post("introspect", { token, touch });
      if (said?.active === true) return active(said, cookies);
      if (said?.active === false) return NONE;
      throw new Error(`visitflow: ${base}/introspect is no server of visitflow`);
    } catch (cause) {
      // Refused: a mistake of this program, such as a wrong key, that no retry mends.
      if (cause.status >= 400 && cause.status < 500 && cause.status !== 408 && cause.status !== 429) onError(cause);
      return { state: "unknown", user: null, retryAfter: cause.retryAfter > 0 ? cause.retryAfter : RETRY_AFTER, cause, setCookie: [] };
    }
  }

  /** Whose session the request belongs to. Takes a `Request`, Node's `IncomingMessage`, or `Headers`. */
  async function session(request, { touch = touched } = {}) {
    const token = tokenOf(request, cookieName);
    if (token === undefined) return NONE;
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
  async function change(name, request, body) {
    const { said } = await post(name, { ...body, token: tokenOf(request, cookieName) });
    return { setCookie: said.set_cookie === null ? [] : [said.set_cookie] };
  }

  /** Signs a user of the site in, whose password the site has checked. Add `setCookie` to the answer. */
  const bind = (request, userId, { visit, remember } = {}) =>
    change("bind", request, { user_id: userId, visit, remember, user_agent: header(request, "user-agent") });

  /** Signs out. Add `setCookie` to the answer. */
  const unbind = (request) => change("unbind", request, {});

  return { session, bind, unbind, express: express(session), hono: hono(session), fastify: fastify(session), next: next(session) };
}

const noKey = () => new TypeError("visitflow: key is an API key: visitflow key add NAME --scope session");

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

/** The token of a request. Other applications' cookies of the same name are passed over; of two tokens neither is right. */
function tokenOf(request, name) {
  const pairs = [header(request, "cookie") ?? []].flat().join(";").split(";");
  const values = pairs.filter((pair) => pair.slice(0, pair.indexOf("=")).trim() === name).map((pair) => pair.slice(pair.indexOf("=") + 1).trim());
  const tokens = new Set(values.filter((text) => TOKEN.test(text)));
  return tokens.size === 1 ? [...tokens][0] : undefined;
}

function onceAMinute(act) {
  let due = 0;
  return (...what) => {
    if (Date.now() < due) return;
    due = Date.now() + 60_000;
    act(...what);
  };
}
