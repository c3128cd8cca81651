// Who is signed in, and in which other browsers; what is stored of the visitor; whether this browser is ignored. The page asks of its own accord, so consent does not matter:
// nothing is measured, and nothing is written. The first call loads this file.

import { everything } from "./everything.js";
import { forget } from "../../client-wasm/shell/forget.js";
import { setOptions } from "../../client-wasm/shell/options.js";
import { ignoreMe } from "./ignore.js";

/** How long an answer may take, in ms. */
const PATIENCE = 10_000;

const failure = (status, text) => Object.assign(Error(text), { status });

/** The answer to a request; null for 401. Throws where it is not known or not done. */
const ask = async ({ endpoint }, path, method = "GET") => {
  let answer, text;
  try {
    answer = await fetch(endpoint + path, { method, credentials: "include", signal: AbortSignal.timeout?.(PATIENCE) });
    text = await answer.text();
  } catch {
    throw failure(0, "visitflow cannot be reached: it is not known who is signed in");
  }
  let said = {};
  try {
    said = JSON.parse(text) ?? {};
  } catch {
    // A proxy's page, for instance.
  }
  if (answer.status == 401) return null;
  if (answer.status == 404 && method == "DELETE") return said; // it has ended already
  if (!answer.ok) throw failure(answer.status, said.detail || `visitflow has answered ${answer.status}`);
  return said;
};

const foreign = () => failure(0, "The answer is none of visitflow's: does the site pass /api/session on to it?");

const date = (text) => (text ? new Date(text) : null);

const read = ({ session, created_at, signed_in_at, last_activity, expires_in }) => ({
  session,
  createdAt: date(created_at),
  signedInAt: date(signed_in_at),
  lastActivity: date(last_activity),
  expiresAt: new Date(Date.now() + expires_in * 1000),
});

const calls = {
  async session(options) {
    const said = await ask(options, "/api/session");
    if (said && !said.session) throw foreign();
    return said && { user: said.user_id ?? null, ...read(said), visitor: said.visitor_id ?? null, site: said.site ?? null };
  },

  async sessions(options) {
    const said = await ask(options, "/api/sessions");
    if (said && !said.sessions) throw foreign();
    return (said?.sessions ?? []).map((one) => ({
      ...read(one),
      device: one.device ?? null,
      current: !!one.current,
      remembered: !!one.remembered,
    }));
  },

  async endSession(options, which) {
    const path = which?.others ? "?others=true" : "/" + encodeURIComponent(which);
    if (!(await ask(options, "/api/sessions" + path, "DELETE"))) throw failure(401, "Nobody is signed in");
  },

  async forget(options, given) {
    setOptions(options);
    forget(given);
  },

  ignoreMe: async (...all) => ignoreMe(...all),

  async visitorData(options) {
    const page = async (query) => {
      const said = await ask(options, "/api/privacy/visitor" + query);
      if (!said?.visits) throw foreign();
      return said;
    };
    return everything(page).catch((error) => {
      if (error.status == 400) return null; // the browser has no identifier
      throw error;
    });
  },
};

export default (options, name, ...given) => calls[name](options, ...given);
