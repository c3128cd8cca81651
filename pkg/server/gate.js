// What the kits share: the option `require`.

/** Of a session, what a kit answers instead of the page: `{ status, text, headers }`, or null to go on. */
export function gate({ require: needs } = {}) {
  if (needs !== undefined && needs !== "user") throw new TypeError('visitflow: require is "user" or left out');
  return ({ state, user, retryAfter }) => {
    if (!needs || user !== null) return null;
    if (state !== "unknown") return { status: 401, text: "Please sign in.", headers: {} };
    const text = "It is not known who is signed in. Try again in a moment.";
    return { status: 503, text, headers: { "retry-after": String(retryAfter) } };
  };
}
