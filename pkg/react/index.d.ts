/**
 * visitflow for React 18 and later: a provider that begins measuring once and follows the
 * visitor's consent, hooks, a list of the user's sessions, and the visitor's data. Page views on load and on route changes are sent by themselves,
 * whichever router changes the address.
 *
 * ```jsx
 * <VisitflowProvider consent={remembered} onConsentChange={remember}>
 *   <App />
 * </VisitflowProvider>
 * ```
 *
 * On the server (`react-dom/server`, Next.js) everything renders, and nothing is measured.
 */

import type { ReactElement, ReactNode } from "react";
import type { AnyEvents, Consent, ConsentState, Options, UserState, VisitflowFunctions } from "visitflow";

export type { ConsentState, UserState, VisitflowFunctions };

/** The properties of {@link VisitflowProvider}. */
export interface VisitflowProviderProps {
  /**
   * What `init` takes. Read once, when the page loads: later changes have no effect.
   * @default those of `init`
   */
  options?: Options;
  /**
   * The visitor's decision that your site remembers. When it changes, the client
   * follows: `"granted"` grants, `"denied"` denies, and `"pending"` revokes.
   *
   * A server that renders the decision into the page has to send the page with `Cache-Control: no-store`. Otherwise
   * the browser's "back" can show a stored page that contains an earlier decision.
   * @default `options.consent`, else "pending"
   */
  consent?: Consent;
  /**
   * Called with each decision that is not made by `consent`, so that your site can remember it: in a cookie if a
   * server renders the page, else in `localStorage`. The decision may come from a hook, from a function that is
   * imported from `"visitflow"`, from a consent manager or from another tab.
   * @default none
   */
  onConsentChange?: (consent: "granted" | "denied") => void;
  /**
   * Your app.
   * @default none
   */
  children?: ReactNode;
}

/**
 * Begins measuring in the browser, once, however often it is mounted (StrictMode mounts twice).
 * Put one around the app. Taking it away does not stop the client; `revoke()` does.
 */
export function VisitflowProvider(props: VisitflowProviderProps): ReactElement;

/**
 * The functions of `visitflow`, for event handlers and effects; the same object at each rendering.
 *
 * ```jsx
 * const { event } = useVisitflow();
 * <button onClick={() => event("play", { level: 3 })}>Play</button>
 * ```
 *
 * `useVisitflow<{ play: { level: number } }>()` checks names and properties of events.
 */
export function useVisitflow<Events extends object = AnyEvents>(): VisitflowFunctions<Events>;

/**
 * The visitor's decision, and the functions that change it: all that a consent banner needs.
 *
 * ```jsx
 * const { consent, grant, deny } = useConsent();
 * if (consent !== "pending") return null;
 * ```
 */
export function useConsent(): ConsentState;

/**
 * Who is signed in. The server is asked once for all components of the page; again after `login`, `logout`,
 * `end` and `endSession` of {@link useVisitflow}, and when the tab is shown again. What a component shows is no
 * protection: that is your backend's (`visitflow/server`).
 *
 * ```jsx
 * const { status, user } = useUser();
 * if (status === "signed-out") return <SignIn />;
 * ```
 */
export function useUser(): UserState;

/** The properties of {@link Sessions}. */
export interface SessionsProps {
  /**
   * Words in another language.
   * @default English
   */
  texts?: Partial<{
    unknownDevice: string;
    current: string;
    lastActivity: (date: Date) => string;
    end: string;
    endOthers: string;
    failed: string;
  }>;
  /**
   * Class of the `<section>`.
   * @default "visitflow-sessions"
   */
  className?: string;
}

/**
 * The signed-in user's sessions, on all devices, each with a button that ends it, and one that ends all but
 * this. Nothing while nobody is signed in. A `<section>` with a list, without styles.
 */
export function Sessions(props: SessionsProps): ReactElement | null;

/** The properties of {@link YourData}. */
export interface YourDataProps {
  /**
   * Words in another language.
   * @default English
   */
  texts?: Partial<{
    visit: (site: string, date: Date, pages: number) => string;
    empty: string;
    download: string;
    erase: string;
    sure: string;
    yes: string;
    no: string;
    erased: string;
    refused: string;
    failed: string;
  }>;
  /**
   * Class of the `<section>`.
   * @default "visitflow-your-data"
   */
  className?: string;
}

/**
 * All that is stored of this browser's visitor: the visits, a button that downloads everything as JSON, and one
 * that erases it and withdraws the consent. A `<section>` without styles.
 */
export function YourData(props: YourDataProps): ReactElement;
