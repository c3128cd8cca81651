// What the kits share: the options.

/**
 * Of a session, what a kit answers instead of the page: null to go on, else `{ status, text, headers }`, or what
 * the function `answer` of the options says.
 */
export function gate({ require: needs, onUnauthorized, onUnknown } = {}) {
  if (needs !== undefined && needs !== "user") throw new TypeError('visitflow: require is "user" or left out');
  return ({ state, user, retryAfter }) => {
    if (!needs || user !== null) return null;
    if (state !== "unknown") return { status: 401, text: "Please sign in.", headers: {}, answer: onUnauthorized };
    const text = "It is not known who is signed in. Try again in a moment.";
    return { status: 503, text, headers: { "retry-after": String(retryAfter) }, answer: onUnknown };
  };
}
