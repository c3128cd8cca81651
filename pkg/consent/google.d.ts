import type { Decisions } from "visitflow";

/** Options of {@link googleConsent}. */
export interface GoogleConsentOptions {
  /**
   * Name of the global that holds the data layer.
   * @default "dataLayer"
   */
  dataLayer?: string;
}

/**
 * Follows Google Consent Mode: `analytics_storage` decides. A default with `wait_for_update` waits as
 * long, and an update outranks every default. Where defaults differ by region, none of them decides: only
 * Google knows where the visitor is.
 * `visitflow` is the module, or anything with `grant` and `deny`.
 * @returns a function that ends it
 */
export function googleConsent(visitflow: Decisions, options?: GoogleConsentOptions): () => void;
