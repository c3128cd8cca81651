// The option `before`: a function of the page that may change a fact, or drop it.

import { told } from "../../../client-wasm/shell/address.js";
import { json } from "../../../client-wasm/shell/json.js";

// What the page may read of a fact, and change (but not the number of an order).
const FIELDS = {
  page_view: ["url", "referrer", "title", "device"],
  event: ["url", "name", "props"],
  order: ["url", "id", "amount", "currency", "items"],
};

const address = (text) => text && told(new URL(text, location).href);

/** The body as `before` leaves it; undefined if the fact is dropped. Throws what `before` throws. */
export const asked = (before, kind, body) => {
  // A script tag names a function of the page.
  const run = typeof before == "string" ? window[before] : before;
  if (typeof run != "function") throw Error("before is no function");
  const answer = run({ kind, ...Object.fromEntries(FIELDS[kind].map((field) => [field, body[field]])) });
  if (!answer) return;
  if (!answer.kind) throw Error("before has to return the fact, at once");
  const { url, referrer, ...rest } = JSON.parse(json(answer));
  const after = { ...body, url: address(url), referrer: address(referrer) };
  for (const field of FIELDS[kind]) if (!/^(url|referrer|id)$/.test(field)) after[field] = rest[field];
  if (kind == "page_view" && !after.url) throw Error("before has left a page view without an address");
  return after;
};
