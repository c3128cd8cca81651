// visitflow for backends: whose session a request belongs to. No dependencies; any runtime with
// `fetch`. What the server answers, and when: docs/sessions.md of the repository.

/** What the server issues: a tag of 128 bits and a secret of 256, base64url. */
const TOKEN = /^s_[\w-]{22}\.[\w-]{43}$/;

const NONE = Object.freeze({ state: "none", user: null, setCookie: [] });

/** Asks a visitflow server. */
export function sessions({ endpoint, key, cookieName = "session_id", timeoutMs = 2000, touch = true, cacheMs = 0 }) {
  const base = `${String(endpoint).replace(/\/+$/, "")}/api/session`;
  if (!/^https?:/.test(base)) throw new TypeError("visitflow: endpoint is an http(s) address of the server");
  if (!key) throw new TypeError("visitflow: key is an API key: visitflow key add NAME --scope session");
  const known = new Map();

  const post = (name, body) =>
    fetch(`${base}/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });

  async function ask(token) {
    let answer;
    try {
      answer = await post("introspect", { token, touch });
    } catch (cause) {
      return unknown(2, cause);
    }
    // The key or the address is wrong: a mistake of this program, that no retry mends.
    if (answer.status >= 400 && answer.status < 500 && answer.status !== 408 && answer.status !== 429) {
      throw await refused(answer);
    }
    if (!answer.ok) {
      await answer.body?.cancel();
      return unknown(Number(answer.headers.get("retry-after")) || 2);
    }
    return read(await answer.json(), answer.headers.getSetCookie());
  }

  /**
   * Whose session the request belongs to. Takes a `Request`, Node's `IncomingMessage`, or `Headers`.
   */
  async function session(request) {
    const token = cookie(header(request, "cookie"), cookieName);
    if (token === undefined) return NONE;
    if (!cacheMs) return ask(token);
    const now = Date.now();
    for (const [old, { until }] of known) {
      if (until > now) break;
      known.delete(old);
    }
    const held = known.get(token);
    if (held) return held.found;
    const found = await ask(token);
    // A cookie is for the one answer that brought it.
    if (found.state === "active") known.set(token, { found: { ...found, setCookie: [] }, until: now + cacheMs });
    return found;
  }

  /**
   * Middleware for Express 5: `request.visitflow` is the session. `require: "user"` answers 401 without a
   * signed-in user and 503 where nobody can tell, with `onUnauthorized` instead of the former if given.
   */
  function express({ require: needs, onUnauthorized } = {}) {
    if (needs !== undefined && needs !== "user") throw new TypeError('visitflow: require is "user" or left out');
    return async (request, response, next) => {
      const found = await session(request);
      request.visitflow = found;
      for (const value of found.setCookie) response.append("set-cookie", value);
      if (needs && found.state === "unknown") {
        response.status(503).set("retry-after", String(found.retryAfter)).type("text").send("It is not known who is signed in. Try again in a moment.");
      } else if (needs && found.user === null) {
        if (onUnauthorized) onUnauthorized(request, response, next);
        else response.status(401).type("text").send("Please sign in.");
      } else {
        next();
      }
    };
  }

  /** Signs the session of a request in or out; throws if that was not done. */
  async function change(name, request, body) {
    const answer = await post(name, { ...body, token: cookie(header(request, "cookie"), cookieName) });
    if (!answer.ok) throw await refused(answer);
    const { set_cookie: set } = await answer.json();
    return { setCookie: set === null ? [] : [set] };
  }

  /** Signs a user of the site in, whose password the site has checked. Add `setCookie` to the answer. */
  const bind = (request, userId, { visit } = {}) => change("bind", request, { user_id: userId, visit });

  /** Signs out. Add `setCookie` to the answer. */
  const unbind = (request) => change("unbind", request, {});

  return { session, express, bind, unbind };
}

function read({ active, sub, sid, iat, exp, visitor_id, site, generation }, setCookie) {
  if (!active) return NONE;
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

/** What the server said instead of doing it. */
async function refused(answer) {
  const error = new Error(`visitflow: ${answer.status} from ${answer.url}: ${await answer.text()}`);
  return Object.assign(error, { status: answer.status });
}

function unknown(retryAfter, cause) {
  return { state: "unknown", user: null, retryAfter, cause, setCookie: [] };
}

function header(request, name) {
  const headers = request?.headers ?? request;
  const value = typeof headers?.get === "function" ? headers.get(name) : headers?.[name];
  return Array.isArray(value) ? value.join("; ") : (value ?? "");
}

/** The token in a cookie of this name; a cookie of another application's is passed over. */
function cookie(text, name) {
  for (const pair of text.split(";")) {
    const at = pair.indexOf("=");
    const value = pair.slice(at + 1).trim();
    if (at > 0 && pair.slice(0, at).trim() === name && TOKEN.test(value)) return value;
  }
  return undefined;
}
