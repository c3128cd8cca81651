/**
 * visitflow for Svelte 5 and SvelteKit: a function for the root layout, which begins measuring once and follows the
 * visitor's consent, and functions for the components below it. Page views on load and on route changes are sent by
 * themselves.
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
 * On the server everything renders, and nothing is measured.
 */

import type { AnyEvents, Consent, ConsentState, Options, UserState, VisitflowFunctions } from "visitflow";

export type { ConsentState, UserState, VisitflowFunctions };

/** What {@link setVisitflow} takes. */
export interface VisitflowSettings {
  /** What `init` takes. Read once, when the page loads: later changes change nothing. */
  options?: Options;
  /**
   * What the visitor decided, as far as your site remembers it: a value, or a function that reads state. When it
   * changes, the client follows: `"granted"` grants, `"denied"` denies, and `"pending"` revokes.
   * @default `options.consent`, else "pending"
   */
  consent?: Consent | (() => Consent | undefined);
  /**
   * Called after `grant()`, `deny()` or `revoke()` of these functions with what was decided, so that your site can
   * remember it: in a cookie, if a server renders the page, else in `localStorage`.
   */
  onConsentChange?: (consent: "granted" | "denied") => void;
}

/** Begins measuring in the browser. Call it once, while the root layout is initialised. */
export function setVisitflow(settings?: VisitflowSettings): void;

/**
 * The functions of `visitflow`, called while a component is initialised. `useVisitflow<{ play: { level: number } }>()`
 * checks names and properties of events. Its `grant`, `deny` and `revoke` also tell {@link useConsent} and
 * `onConsentChange`; those that are imported from `"visitflow"` do not.
 */
export function useVisitflow<Events extends object = AnyEvents>(): VisitflowFunctions<Events>;

/**
 * The visitor's decision, and the functions that change it: all that a consent banner needs. `consent` is state:
 * read it from the object, for a copy does not change.
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
