/**
 * visitflow for Astro: `integrations: [visitflow({ rememberConsent: true })]`. It begins measuring on every page; page
 * views on load and with view transitions are sent by themselves. For a banner see `visitflow/astro/Consent.astro`,
 * for scripts of your own `visitflow/astro/client`.
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
import type { Options } from "visitflow";

export default function visitflow(options?: Options): AstroIntegration;
