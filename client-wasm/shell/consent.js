// What may happen before the WebAssembly is there; consent.rs decides after. Both pass the cases of
// tests/consent.json.

import { attempt } from "./attempt.js";
import { IGNORED, readCookie } from "./cookies.js";
import { isOn, options } from "./options.js";

const REMEMBERED = "visitflow_consent";

/** Whether the browser itself objects, and that is honoured. */
export const objects = ({ gpc, dnt }) =>
  (gpc != "ignore" && navigator.globalPrivacyControl) || (dnt == "honour" && navigator.doNotTrack > 0);

/** The consent that a page begins with: a decision that was remembered counts where the page says pending. */
export const initial = (given) =>
  objects(given)
    ? "denied"
    : (/d$/.test(given.consent) && given.consent) ||
      (isOn(given.rememberConsent) && attempt(() => localStorage[REMEMBERED])) ||
      "pending";

/** Whether everything may happen. */
export const isGranted = () => options.consent == "granted";

/** Whether a fact may be sent: without consent a view alone, if the page asked for anonymous ones. */
export const maySend = (isView) => isGranted() || (options.beforeConsent == "anonymous" && isView);

/** Whether one that may not be sent waits for a decision. */
export const mayWait = () => options.consent == "pending";

/** Takes a decision that was made on this page or in another tab, and tells whom the page has asked to tell. */
export const setConsent = (choice) => {
  if (options.consent == choice) return;
  options.consent = choice;
  options.listeners.forEach((listener) => attempt(() => listener(choice)));
};

/** Whether the visitor called ignoreMe(). Such a browser is treated as one without consent; consent itself does not change. */
export const isIgnored = () => {
  const ignored = !!readCookie(IGNORED);
  if (ignored) options.consent = "denied";
  return ignored;
};

/** Takes a decision of the visitor, and remembers it if the page asks for that. */
export const decide = (choice) => {
  options.known = 0; // what was decided before is over
  setConsent(choice);
  if (isOn(options.rememberConsent)) attempt(() => (localStorage[REMEMBERED] = choice));
};
