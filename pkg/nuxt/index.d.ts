/**
 * visitflow for Nuxt: `modules: ["visitflow/nuxt"]`. It adds the plugin of `visitflow/vue`, imports `useConsent`,
 * `useUser` and `useVisitflow` by themselves, and remembers the visitor's decision in a cookie, so that the server
 * renders the right page. Nothing is written before a decision.
 */

import type { NuxtModule } from "nuxt/schema";
import type { Options } from "visitflow";

/** The section `visitflow` of nuxt.config; `NUXT_PUBLIC_VISITFLOW_ENDPOINT` names another server at run time. */
export interface ModuleOptions extends Options {
  /**
   * The cookie of your site that remembers the decision for half a year.
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
