/**
 * visitflow for Svelte 5 and SvelteKit: a function for the root layout, which starts the client and follows the
 * visitor's consent, and functions for the components below it. Page views are sent automatically, on load and on
 * route changes.
 *
 * ```svelte
 * <script>
 *   import { setVisitflow } from "visitflow/svelte";
 *   let { data, children } = $props();
 *   setVisitflow({ consent: () => data.consent, onConsentChange: remember });
 * </script>
 *
 * {@render children()}
 * ```
 *
 * On a server components render and nothing is measured.
 */

import type { AnyEvents, Consent, ConsentState, Options, UserState, VisitflowFunctions } from "visitflow";

export type { ConsentState, UserState, VisitflowFunctions };

/** What {@link setVisitflow} takes. */
export interface VisitflowSettings {
  /**
   * What `init` takes. Read once, when the page loads: later changes have no effect.
   * @default those of `init`
   */
  options?: Options;
  /**
   * The visitor's decision that your site remembers: a value, or a function that reads state. When it changes, the
   * client follows: `"granted"` grants, `"denied"` denies, and `"pending"` revokes.
   *
   * A server that renders the decision into the page has to send the page with `Cache-Control: no-store`. Otherwise
   * the browser's "back" can show a stored page that contains an earlier decision.
   * @default `options.consent`, else "pending"
   */
  consent?: Consent | (() => Consent | undefined);
  /**
   * Called with each decision that is not made by `consent`, so that your site can remember it: in a cookie if a
   * server renders the page, else in `localStorage`. The decision may come from these functions, from one that is
   * imported from `"visitflow"`, from a consent manager or from another tab.
   * @default none
   */
  onConsentChange?: (consent: "granted" | "denied") => void;
}

/** Starts the client in a browser. Call it once, in the script of the root layout. */
export function setVisitflow(settings?: VisitflowSettings): void;

/**
 * The functions of `visitflow`; call it in the script of a component. `useVisitflow<{ play: { level: number } }>()`
 * checks names and properties of events.
 */
export function useVisitflow<Events extends object = AnyEvents>(): VisitflowFunctions<Events>;

/**
 * The visitor's decision, and the functions that change it: all that a consent banner needs. `consent` is
 * reactive state: read it from the object, because a destructured copy does not change.
 *
 * ```svelte
 * <script>
 *   const visitor = useConsent();
 * </script>
 *
 * {#if visitor.consent === "pending"}
 *   <p>May we count your visit? <button onclick={visitor.grant}>Yes</button> <button onclick={visitor.deny}>No</button></p>
 * {/if}
 * ```
 */
export function useConsent(): Readonly<ConsentState>;

/**
 * Who is signed in, as state. The server is asked once for all components of the page; again after `login`, `logout`,
 * `end` and `endSession` of {@link useVisitflow}, and when the tab is shown again.
 */
export function useUser(): Readonly<UserState>;
