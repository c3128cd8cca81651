// Facts: `{key, path, at, body}`, where the body lacks visitor and age until it is sent.

import { AGE_MS, TELEMETRY } from "./generated.js";
import { keyAt } from "./ids.js";
import { json } from "./json.js";
import { options } from "./options.js";

/**
 * The fact of this body, at a time in ms since the Unix epoch; `kind` is "page_view", "event" or "order". The page may
 * have it changed or dropped (pkg/src/extras.js): undefined then.
 */
export const make = (kind, at, body) => {
  body = options.shape ? options.shape(kind, body) : body;
  if (body) options.passed = true;
  const key = keyAt(at);
  return (
    body && {
      key,
      path: TELEMETRY + kind,
      at,
      body: { id: key, ...body, site: options.site, webdriver: navigator.webdriver || undefined },
    }
  );
};

// A text that was cut may end in half a character, which the server refuses.
const whole = (_, value) => value?.toWellFormed?.() ?? value;

/** The body of a fact's request, as of now. */
export const text = ({ at, body }, visitor_id) =>
  json({ ...body, visitor_id, age_ms: Math.max(0, Math.min(AGE_MS, Date.now() - at)) }, whole);
