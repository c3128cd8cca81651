// Addresses, as they are reported.

import { URL_BYTES } from "./generated.js";

/**
 * The address without the fragment, unless that routes (`#/…`, `#!…`). Where it is longer than the server
 * takes, what names the campaign is all that stays of the query, and the path is cut. Addresses that a browser
 * has read are ASCII: a letter is a byte.
 */
export const reported = (href) => {
  const bare = href.replace(/#(?![/!]).*/, "");
  if (bare.length <= URL_BYTES) return bare;
  const campaign = bare.match(/\b(utm_\w+|\w*clid)=[^&#]+/g);
  return bare.replace(/[?#].*/, campaign ? "?" + campaign.join("&") : "").slice(0, URL_BYTES);
};
