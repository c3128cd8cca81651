// What the reader looks at, kept in the address: ?range=7&site=shop.example&currency=EUR, or
// ?from=2026-10-01&to=2026-10-07 with both days included.

/** The presets in days, today included. */
export const PRESETS = ["today", "7", "30", "90"];
const DEFAULT_RANGE = "30";
const CURRENCY = /^[A-Z]{3}$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Reads a selection from a query string; what it cannot read falls back to the default. */
export function parse(search) {
  const query = new URLSearchParams(search);
  const [from, to, range] = [query.get("from"), query.get("to"), query.get("range")];
  const custom = isDay(from) && isDay(to) && from <= to;
  return {
    range: custom ? "custom" : PRESETS.includes(range) ? range : DEFAULT_RANGE,
    from: custom ? from : null,
    to: custom ? to : null,
    site: query.get("site") || null,
    currency: CURRENCY.test(query.get("currency") ?? "") ? query.get("currency") : null,
  };
}

/** The query string of a selection, without what is default. */
export function stringify({ range, from, to, site, currency }) {
  const query = new URLSearchParams();
  if (range === "custom") {
    query.set("from", from);
    query.set("to", to);
  } else if (range !== DEFAULT_RANGE) {
    query.set("range", range);
  }
  if (site) query.set("site", site);
  if (currency) query.set("currency", currency);
  const text = query.toString();
  return text ? `?${text}` : "";
}

function isDay(text) {
  return DAY.test(text ?? "") && !Number.isNaN(Date.parse(text));
}
