/**
 * visitflow for Astro: `integrations: [visitflow({ rememberConsent: true })]`. It starts the client on every page. Page
 * views are sent automatically, on load and after view transitions. For a banner use `visitflow/astro/Consent.astro`,
 * in your own scripts `visitflow/astro/client`.
 *
 * ```astro
 * import Consent from "visitflow/astro/Consent.astro";
 *
 * <Consent>
 *   May we count your visit? <button data-consent="grant">Yes</button> <button data-consent="deny">No</button>
 * </Consent>
 * <Consent when={["granted", "denied"]}><button data-consent="revoke">Take it back</button></Consent>
 * ```
 */

import type { AstroIntegration } from "astro";
import type { ConfigOptions } from "visitflow";

/** The integration. It writes the options into each page. */
export default function visitflow(options?: ConfigOptions): AstroIntegration;
