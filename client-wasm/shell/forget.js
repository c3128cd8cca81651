// Consent is taken back where Rust is not there to see to it.

import { deleteCookie } from "./cookies.js";
import { SESSION_FORGET } from "./generated.js";
import { options } from "./options.js";
import { beacon } from "./requests.js";
import { forgetEverywhere } from "./tabs.js";

/** Deletes what the browser keeps of the visitor, in all tabs; the server forgets, too, unless it is to erase. */
export const forget = (given) => {
  deleteCookie(options.visitorCookie);
  deleteCookie(options.activityCookie);
  forgetEverywhere();
  if (!given?.erase) beacon(SESSION_FORGET, "{}");
};
