// ignoreMe(): this browser is not measured at all, by a cookie that is set by this call alone.

import { isIgnored } from "../../client-wasm/shell/consent.js";
import { IGNORED, readOwn } from "../../client-wasm/shell/cookies.js";
import { forget } from "../../client-wasm/shell/forget.js";
import { setOptions } from "../../client-wasm/shell/options.js";

/** 400 days, in seconds: browsers keep no cookie for longer. */
const MAX_AGE_S = 34_560_000;

/** Ignores this browser from now on, in all tabs; or, from the next page on, does so no more. */
export const ignoreMe = (options, on = true) => {
  setOptions(options);
  const domain = options.cookieDomain ? `; Domain=${options.cookieDomain}` : "";
  document.cookie = `${IGNORED}=1; Path=/; SameSite=Lax; Max-Age=${on ? MAX_AGE_S : 0}${domain}`;
  if (!on) return;
  if (!isIgnored()) throw Error("This browser keeps no cookie: it cannot be ignored");
  // What is told on this page from now on is dropped, and no session begins here.
  options.shape = () => {};
  options.excluded = () => true;
  options.beforeConsent = "silent";
  // Like a revoke in another tab: this one hears of it, too.
  if (readOwn(options.visitorCookie)) forget();
};
