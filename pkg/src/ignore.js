// ignoreMe(): this browser is not measured at all, by a cookie that is set by this call alone.

import { IGNORED, deleteCookie, readCookie, readOwn } from "../../client-wasm/shell/cookies.js";
import { SESSION_FORGET } from "../../client-wasm/shell/generated.js";
import { setOptions } from "../../client-wasm/shell/options.js";
import { setConsent } from "../../client-wasm/shell/consent.js";
import { forgetEverywhere } from "../../client-wasm/shell/tabs.js";

/** 400 days, in seconds: browsers keep no cookie for longer. */
const MAX_AGE_S = 34_560_000;

/** Ignores this browser from now on, in all tabs; or, from the next page on, does so no more. */
export const ignoreMe = (options, on = true) => {
  setOptions(options);
  const domain = options.cookieDomain ? `; Domain=${options.cookieDomain}` : "";
  document.cookie = `${IGNORED}=1; Path=/; SameSite=Lax; Max-Age=${on ? MAX_AGE_S : 0}${domain}`;
  if (!on) return;
  if (!readCookie(IGNORED)) throw Error("This browser keeps no cookie: it cannot be ignored");
  // What is told on this page from now on is dropped, and no session begins here.
  options.shape = () => {};
  options.excluded = () => true;
  options.beforeConsent = "silent";
  if (!readOwn(options.visitorCookie)) return setConsent("denied");
  // Like a revoke in another tab: this one hears of it, too.
  deleteCookie(options.visitorCookie);
  deleteCookie(options.activityCookie);
  setConsent("denied");
  forgetEverywhere();
  navigator.sendBeacon(options.endpoint + SESSION_FORGET, "{}");
};
