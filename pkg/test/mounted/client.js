// A client that writes down its calls, in place of "visitflow".

/** What was called. */
export const calls = [];
/** Who listens to decisions. */
export const listeners = new Set();
/** What it remembers, if its page asks for that. */
export const memory = {};

let state;

const decide = (call, choice) => {
  calls.push(call);
  if (state === choice) return;
  state = choice;
  for (const listener of listeners) listener(choice);
};

export const init = ({ consent, rememberConsent }) => {
  calls.push("init " + consent);
  state ??= consent === "pending" && rememberConsent ? (memory.consent ?? "pending") : consent;
};
export const grant = () => decide("grant", "granted");
export const deny = () => decide("deny", "denied");
export const revoke = async () => decide("revoke", "denied");
export const session = async () => null;
export const snapshot = async () => ({ consent: state ?? "pending" });
export const onConsentChange = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
