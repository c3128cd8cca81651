// Requests to the server: fetch, whose answer is read, and beacons, which survive the page.

import { attempt } from "./attempt.js";
import { text } from "./facts.js";
import { ARRAY_ITEMS } from "./generated.js";
import { options } from "./options.js";
import { named } from "./visitor.js";

/** How long an answer may take, in ms. */
const PATIENCE_MS = 20000;

/** Most characters of a body that survives the page: of all such requests together it is 64 KiB. */
const SURVIVES = 20000;

/**
 * Posts, and resolves with `{status, after, body}`: `after` is `Retry-After` in ms, the body is read to its end,
 * for only then is the connection free, and parsed; the status is 0 where no answer came.
 */
export const post = async (path, body, more, controller = new AbortController()) => {
  options.trace?.("request", path, body);
  const late = setTimeout(() => controller.abort(), PATIENCE_MS);
  const answer = { status: 0, after: 0 };
  try {
    const response = await fetch(options.endpoint + path, {
      method: "POST",
      body,
      credentials: "include",
      keepalive: body.length < SURVIVES,
      signal: controller.signal,
      ...more,
    });
    const text = await response.text();
    answer.status = response.status;
    answer.after = 1000 * response.headers.get("Retry-After") || 0;
    if (text) answer.body = attempt(() => JSON.parse(text));
  } catch {
    // Offline, refused, or too late.
  }
  clearTimeout(late);
  options.trace?.("answer", path, answer.status, answer.after);
  return answer;
};

/** Posts a fact; without consent without cookies. */
export const postFact = (fact, anonymous, controller) =>
  post(fact.path, text(fact, anonymous ? undefined : named()), anonymous && { credentials: "omit" }, controller);

/** Sends a beacon; where the browser takes no more of them, a request. */
export const beacon = (path, body) => {
  options.trace?.("beacon", path, body);
  if (!attempt(() => navigator.sendBeacon(options.endpoint + path, body))) post(path, body);
};

/** Sends facts by beacon, in arrays that the server and the browser take. */
export const beaconFacts = (facts) => {
  const batches = {};
  const send = (path) => beacon(path, `[${batches[path].splice(0)}]`);
  for (const fact of facts) {
    const body = text(fact, named());
    const batch = (batches[fact.path] ??= []);
    if (batch.length == ARRAY_ITEMS || (batch[0] && batch.join().length + body.length > SURVIVES)) send(fact.path);
    batch.push(body);
  }
  for (const path in batches) send(path);
};
