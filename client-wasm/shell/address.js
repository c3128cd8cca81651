// Addresses, as they are reported.

import { URL_BYTES } from "./generated.js";

/** The address without the fragment, unless that routes (`#/…`, `#!…`), cut to so many bytes: addresses that a browser has read are ASCII. */
export const bare = (href, bytes = URL_BYTES) => href.replace(/#(?![/!]).*/, "").slice(0, bytes);

/**
 * The same, but where the address is longer than the server takes, what names the campaign is all that stays of the
 * query, and the path is cut.
 */
export const reported = (href) => {
  const whole = bare(href, Infinity);
  if (whole.length <= URL_BYTES) return whole;
  const campaign = whole.match(/\b(utm_\w+|\w*clid)=[^&#]+/g);
  return bare(whole.replace(/[?#].*/, campaign ? "?" + campaign.join("&") : ""));
};

// Names of query parameters whose values open a door or name a person: some of those that the server knows
// (server/src/address/names.rs).
const SECRETS =
  /([?&])((([\w.-]*(token|secret|passw(or[dt]|d)|credential|signature|email|sess(ion)?_?id|api_?key))|auth|code|jwt|otp|pwd|sid|sig)=[^&#]*(&|(?=#|$)))+/gi;

/** The same without what looks like a secret, as far as names tell. The server looks closer. */
export const told = (href) => reported(href).replace(SECRETS, "$1").replace(/[?&]+(?=#|$)/g, "");
