/**
 * visitflow for Vue 3.3 and later: a plugin that starts the client and follows the visitor's consent, and
 * composables. Page views are sent automatically, on load and on route changes of any router.
 *
 * ```js
 * createApp(App).use(createVisitflow({ consent: remembered, onConsentChange: remember })).mount("#app");
 * ```
 *
 * On a server components render and nothing is measured. Create a plugin for each request.
 */

import type { ComputedRef, MaybeRefOrGetter, Plugin, Ref } from "vue";
import type { AnyEvents, Consent, ConsentState, Options, UserState, VisitflowFunctions } from "visitflow";

export type { VisitflowFunctions };

/** The options of {@link createVisitflow}. */
export interface VisitflowPluginOptions {
  /**
   * What `init` takes.
   * @default those of `init`
   */
  options?: Options;
  /**
   * The visitor's decision that your site remembers: a value, a ref or a getter. When it changes, the client
   * follows: `"granted"` grants, `"denied"` denies, and `"pending"` revokes.
   *
   * A server that renders the decision into the page has to send the page with `Cache-Control: no-store`. Otherwise
   * the browser's "back" can show a stored page that contains an earlier decision.
   * @default `options.consent`, else "pending"
   */
  consent?: MaybeRefOrGetter<Consent | undefined>;
  /**
   * Called with each decision that is not made by `consent`, so that your site can remember it: in a cookie if a
   * server renders the page, else in `localStorage`. The decision may come from a composable, from a function that is
   * imported from `"visitflow"`, from a consent manager or from another tab.
   * @default none
   */
  onConsentChange?: (consent: "granted" | "denied") => void;
  /**
   * What the server rendered the page with, where that may be another decision than `consent`, as with a page that is
   * prerendered or cached; `null`: with none. Give it on the server and in the browser. Components hydrate with it.
   * @default `consent`
   */
  rendered?: Consent | null;
}

/** The plugin: `app.use(createVisitflow())`. In a browser it starts the client. Templates have `$visitflow`. */
export function createVisitflow(options?: VisitflowPluginOptions): Plugin<[]>;

/**
 * The functions of `visitflow`. `useVisitflow<{ play: { level: number } }>()` checks names and properties of events.
 */
export function useVisitflow<Events extends object = AnyEvents>(): VisitflowFunctions<Events>;

/** What {@link useConsent} returns. */
export interface ConsentRefs extends Omit<ConsentState, "consent"> {
  /** undefined while it is not known: see {@link ConsentState}. */
  consent: Readonly<Ref<Consent | undefined>>;
}

/**
 * The visitor's decision, and the functions that change it: all that a consent banner needs.
 *
 * ```vue
 * <script setup>
 * const { consent, grant, deny } = useConsent();
 * </script>
 *
 * <template>
 *   <p v-if="consent === 'pending'">May we count your visit? <button @click="grant">Yes</button> <button @click="deny">No</button></p>
 * </template>
 * ```
 */
export function useConsent(): ConsentRefs;

/** What {@link useUser} returns. */
export interface UserRefs {
  /** `"loading"`, `"signed-in"`, `"signed-out"`, or `"unknown"` if the server cannot be asked at the moment. */
  status: ComputedRef<UserState["status"]>;
  /** The signed-in user's identifier, or null. */
  user: ComputedRef<UserState["user"]>;
  /** The session, or null. */
  session: ComputedRef<UserState["session"]>;
  /** Asks anew. */
  refresh: UserState["refresh"];
}

/**
 * Who is signed in. The server is asked once for all components of the page; again after `login`, `logout`, `end`
 * and `endSession` of {@link useVisitflow}, and when the tab is shown again.
 */
export function useUser(): UserRefs;

declare module "vue" {
  interface ComponentCustomProperties {
    $visitflow: VisitflowFunctions;
  }
}
