/**
 * visitflow for Nuxt: `modules: ["visitflow/nuxt"]`. It adds the plugin of `visitflow/vue`, auto-imports
 * `useConsent`, `useUser` and `useVisitflow`, and keeps the visitor's decision in a cookie, so that the server renders
 * the page with or without the banner. It writes nothing before a decision. On pages that are prerendered or cached
 * `consent` is undefined until they are hydrated, so that they show no banner to visitors who have decided.
 */

import type { NuxtModule } from "nuxt/schema";
import type { ConfigOptions } from "visitflow";

/** The section `visitflow` of nuxt.config; `NUXT_PUBLIC_VISITFLOW_ENDPOINT` replaces `endpoint` at run time. */
export interface ModuleOptions extends Omit<ConfigOptions, "rememberConsent"> {
  /**
   * Name of the cookie that keeps the decision for half a year.
   * @default "consent"
   */
  consentCookie?: string;
}

declare const visitflow: NuxtModule<ModuleOptions>;
export default visitflow;

declare module "nuxt/schema" {
  interface NuxtConfig {
    visitflow?: ModuleOptions;
  }
}
