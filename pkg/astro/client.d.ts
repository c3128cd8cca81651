/**
 * For scripts of Astro pages: the visitor's decision, and the functions that change it. `consent`
 * also follows the functions of `"visitflow"`, consent managers and other tabs.
 */

import type { ConfigOptions, Consent, ConsentState } from "visitflow";

/** The visitor consents. */
export declare const grant: ConsentState["grant"];
/** The visitor declines. */
export declare const deny: ConsentState["deny"];
/** The visitor takes consent back. With `{ erase: true }` the server also erases what it has stored. */
export declare const revoke: ConsentState["revoke"];

/** The decision, as a store. */
export declare const consent: {
  /** undefined until it is known. */
  get(): Consent | undefined;
  /** Calls `listener` with the decision, as soon as it is known and at each change; returns a function that stops it. */
  subscribe(listener: (consent: Consent) => void): () => void;
};

/** Starts the client. The integration calls it. */
export function begin(options: ConfigOptions): Promise<void>;
