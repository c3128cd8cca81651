// Who visits: the identifier that the visitor's cookie holds, as long as there is consent.

import { cookies, deleteCookie, readCookie, readFirst, readOwn, writeCookie } from "./cookies.js";
import { VISITOR_MAX_AGE_S } from "./generated.js";
import { uuid } from "./ids.js";
import { options } from "./options.js";
import { sticks } from "./sticks.js";

let visitor;
let last; // the last visitor that this page has forgotten

/** The visitor's identifier. */
export const named = () => visitor;

/** Takes the identifier that the cookie holds; whether there is one. */
export const recognise = (all) => {
  const known = readCookie(options.visitorCookie, all);
  if (!/^v_[\da-f-]{36}$/i.test(known)) return false;
  visitor = known;
  return true;
};

/** Writes the visitor's name; whether the cookie sticks. */
export const rename = () => sticks(options.visitorCookie, visitor, VISITOR_MAX_AGE_S);

/**
 * Names the visitor like all other tabs that do so at this moment; whether the cookie sticks. Each writes a
 * cookie of its own, and the name in the first of these is the visitor's: cookies are read in the order in
 * which they were written (RFC 6265 §5.4). Who comes when they are gone again finds the visitor's.
 */
export const name = () => {
  const own = "v_" + uuid();
  writeCookie(options.visitorCookie + own, own, 9);
  const all = cookies(); // once: others do the same meanwhile
  const oldest = readFirst(options.visitorCookie + "v_", all);
  if (!recognise(all)) visitor = oldest || own;
  const kept = rename();
  // Afterwards: each access to a cookie takes the browser its time, and the view is about to go.
  Promise.resolve().then(() => writeCookie(options.visitorCookie + own, "", 0));
  return kept;
};

/** Whether the cookie holds the visitor's identifier still. */
export const isNamed = () => readCookie(options.visitorCookie) == visitor;

/** Whether any of our cookies is there. */
export const isMarked = () => !!(readOwn(options.visitorCookie) || readOwn(options.activityCookie));

/** The visitor whose data may be erased: this one, or the one that was forgotten last. */
export const erasable = () => visitor || readOwn(options.visitorCookie) || last || options.revoked;

/** Forgets the visitor; the cookies too, unless a consent since then has named another, or anyway. */
export const unname = (anyway) => {
  last = erasable();
  const known = readOwn(options.visitorCookie);
  if (anyway || !known || known == visitor) {
    deleteCookie(options.visitorCookie);
    deleteCookie(options.activityCookie);
  }
  visitor = undefined;
};
