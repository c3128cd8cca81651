// Cookies that have to stick.

import { isTaken, readCookie, writeCookie } from "./cookies.js";
import { options } from "./options.js";

let secure = "; Secure";

/**
 * Writes a cookie; whether it sticks, unless that is `sure`. `Secure` is left out from then on if that is why it
 * does not: on an http page of a loopback host the browser may refuse secure cookies.
 */
export const sticks = (name, value, age, sure) => {
  if (isTaken(name)) {
    options.complain(`${name} is another application's: set cookieNames`);
    return false;
  }
  writeCookie(name, value, age, secure);
  if (sure || readCookie(name) == value) return true;
  const { protocol, hostname } = location;
  if (!secure || protocol != "http:" || !/^(127\.|\[::1]$|(.+\.)?localhost$)/.test(hostname)) return false;
  secure = "";
  if (sticks(name, value, age)) return true;
  secure = "; Secure"; // there is another reason
  return false;
};
