import type { Decisions } from "visitflow";

/** Options of {@link tcfConsent}. */
export interface TcfConsentOptions {
  /**
   * Purposes that all need consent, by their numbers in the framework.
   * @default [1, 8]: store and access information on a device; measure content performance
   */
  purposes?: number[];
  /**
   * The vendor that needs consent too, by its number in the Global Vendor List.
   * @default none
   */
  vendor?: number;
  /**
   * What counts as decided where the GDPR does not apply.
   * @default "pending": nothing happens until the page calls `grant`
   */
  outside?: "granted" | "denied" | "pending";
}

/**
 * Follows a consent manager of the IAB Transparency and Consent Framework 2: it acts on `tcloaded` and
 * `useractioncomplete` alone. `visitflow` is the module, or anything with `grant` and `deny`.
 * @returns a function that ends it
 */
export function tcfConsent(visitflow: Decisions, options?: TcfConsentOptions): () => void;
