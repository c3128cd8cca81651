// The client's two cookies, whose names are options.

import { attempt } from "./attempt.js";
import { options } from "./options.js";

/** The cookie of a browser that is not to be measured: its visitor has said so (pkg/src/ignore.js). */
export const IGNORED = "visitflow_ignore";

/** All cookies; none where they are forbidden. */
export const cookies = () => attempt(() => document.cookie) ?? "";

/** The value of the first cookie whose name, with what follows it, begins so. */
export const readFirst = (begin, all = cookies()) =>
  all.split("; ").find((pair) => pair.startsWith(begin))?.replace(/.*?=/, "");

/** The value of a cookie. */
export const readCookie = (name, all) => readFirst(name + "=", all);

/** Whether a cookie has another form than ours: then it is somebody else's, and stays as it is. */
export const isTaken = (name) => !(name == options.activityCookie ? /^\d*$/ : /^(v_|$)/).test(readCookie(name) ?? "");

/** The value of a cookie of ours. */
export const readOwn = (name) => (isTaken(name) ? undefined : readCookie(name));

/** Writes a cookie for so many seconds, if the name is ours. No domain is none: an empty attribute is ignored (RFC 6265 §5.2.3). */
export const writeCookie = (name, value, age, secure = "; Secure", domain = options.cookieDomain ?? "") => {
  if (isTaken(name)) return;
  options.trace?.("cookie", name, value, age);
  attempt(() => {
    document.cookie = `${name}=${value}; Path=/; SameSite=Lax; Max-Age=${age}; Domain=${domain}${secure}`;
  });
};

/** Deletes a cookie of ours, whatever its domain. `Secure` does not identify a cookie, and the page may not be allowed to set it. */
export const deleteCookie = (name) => {
  if (readCookie(name) == undefined) return;
  writeCookie(name, "", 0, "");
  writeCookie(name, "", 0, "", "");
};
