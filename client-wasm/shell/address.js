// Addresses, as they are reported.

import { URL_BYTES } from "./generated.js";

/**
 * The address without the fragment, unless that routes (`#/…`, `#!…`), cut to what the server takes. Addresses that a
 * browser has read are ASCII: a letter is a byte.
 */
export const reported = (href) => href.replace(/#(?![/!]).*/, "").slice(0, URL_BYTES);

// Names of query parameters whose values open a door or name a person: some of those that the server knows
// (server/src/address/names.rs).
const SECRETS = /([?&])((code|[\w.-]*(token|secret|password|email|api_?key))=[^&#]*&?)+/gi;

/** The same without what looks like a secret, as far as names tell. The server looks closer. */
export const told = (href) => reported(href).replace(SECRETS, "$1").replace(/[?&]+(?=#|$)/g, "");
