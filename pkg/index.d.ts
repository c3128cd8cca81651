/**
 * visitflow measures visits with consent. Before consent it stores nothing and (unless
 * `beforeConsent` is `"anonymous"`) sends nothing. It never throws into the page: only the
 * promises of {@link login}, {@link logout}, {@link end}, of an erasure, and of {@link session},
 * {@link sessions}, {@link endSession} and {@link visitorData} reject.
 *
 * In Node (server-side rendering) every function exists and does nothing.
 */

/** What the visitor decided. Your banner remembers it, or visitflow does (`rememberConsent`). */
export type Consent = "pending" | "granted" | "denied";

/** The options of {@link init}; a script tag spells them `data-cookie-domain="…"` and so on. */
export interface Options {
  /**
   * Base URL of the visitflow server.
   * @default the page's origin; with a script tag, the origin of the script
   */
  endpoint?: string;
  /**
   * The site that reports speak of.
   * @default the host of the page's URL, without `www.`
   */
  site?: string;
  /**
   * `Domain` of the cookies `visitor_id` and `last_activity`, for a server on a subdomain; equal
   * to the server's `--cookie-domain`.
   * @default the page's host alone
   */
  cookieDomain?: string;
  /**
   * Other names for the client's cookies, where an application of the site has cookies of these names;
   * equal to the server's `--cookie-name`. A script tag lists them:
   * `data-cookie-names="visitor_id=shop_vid last_activity=shop_seen"`.
   * @default the names themselves
   */
  cookieNames?: { visitor_id?: string; last_activity?: string };
  /**
   * The consent that is known when the page loads.
   * @default "pending"
   */
  consent?: Consent;
  /**
   * While consent is pending or denied: `"silent"` reads, writes and sends nothing, and does not
   * even load the WebAssembly; `"anonymous"` sends page views without cookies or identifiers.
   * @default "silent"
   */
  beforeConsent?: "silent" | "anonymous";
  /**
   * Remember the decision in this browser (localStorage, key `visitflow_consent`), for sites whose
   * banner does not. It counts where `consent` is not given or `"pending"`.
   * @default false
   */
  rememberConsent?: boolean;
  /**
   * What else becomes an event: `"outbound"` clicks on links to other hosts (`outbound_link`),
   * `"downloads"` of files (`file_download`), `"forms"` that are submitted (`form_submit`). Addresses
   * are told without query and fragment, forms without what was typed. `"elements"`: what elements declare.
   * `data-visitflow-event="signup" data-visitflow-prop-plan="pro"` sends the event `signup` with the properties
   * `{ plan: "pro" }` when the element is clicked, or the form submitted (in names of properties, `-` becomes `_`).
   * `data-visitflow-view="pricing"` sends the event `pricing` once, when half of the element has been seen.
   * A script tag lists them: `data-capture="outbound downloads"`.
   * @default none
   */
  capture?: ("outbound" | "downloads" | "forms" | "elements")[];
  /**
   * Explain every decision in the console. Loads a file more.
   * @default false
   */
  debug?: boolean;
  /**
   * Send a page view on load and on each route change (`pushState`, `replaceState`, back and
   * forward). With `false`, call {@link pageView} yourself.
   * @default true
   */
  autoPageViews?: boolean;
  /**
   * Count the views of a page that is in a frame of another page of the same origin.
   * @default false
   */
  frames?: boolean;
  /**
   * Least time in milliseconds between two pings of an active page; at least 1000.
   * @default 15000
   */
  pingIntervalMs?: number;
  /**
   * Called with each page view, event and order before it is sent. It may change the fact and returns it; if it
   * returns nothing or `false`, the fact is dropped. If it throws, the fact is dropped too, and the console says why.
   * A script tag names a global function: `data-before="maskFact"`. Loads a file more, and nothing is sent before
   * that is there.
   *
   * ```js
   * before(fact) {
   *   fact.url = fact.url.replace(/\/users\/\d+/, "/users/ID");
   *   if (fact.kind === "event") fact.props = { ...fact.props, plan };
   *   return fact;
   * }
   * ```
   * @default none
   */
  before?: (fact: Fact) => Fact | false | null | undefined | void;
  /**
   * The only query parameters that addresses keep, beside those that name a campaign (`utm_…`, click ids such as
   * `gclid`). With an empty list, only the latter. A script tag lists them: `data-query="page q"`. Loads a file more,
   * as `before`.
   * @default all that do not look like secrets
   */
  query?: string[];
  /**
   * Paths of pages that are never measured: no views, events or orders, and no session begins there. `*` stands for
   * what is between two slashes, `**` for anything; `/preview/**` covers `/preview` too. For routes in the fragment:
   * `/#/admin/**`. A script tag lists them: `data-exclude="/admin/* /preview/**"`. Loads a file more, as `before`.
   * @default none
   */
  exclude?: string[];
  /**
   * Global Privacy Control: `"honour"` treats a browser that sends it as denied, whatever
   * `consent` and {@link grant} say. Use `"ignore"` together with the server's `--gpc ignore`.
   * @default "honour"
   */
  gpc?: "honour" | "ignore";
  /**
   * Do Not Track: `"honour"` treats a browser that sends it as denied.
   * @default "ignore"
   */
  dnt?: "honour" | "ignore";
}

/** The options in a file that configures the build, from which no function reaches the page: of Nuxt and of Astro. */
export interface ConfigOptions extends Omit<Options, "before"> {
  /**
   * Name of a global function of the page, which is called as {@link Options.before}.
   * @default none
   */
  before?: string;
}

/** A purchase. */
export interface Order {
  /** The shop's own order number, 1 to 64 characters; the same number is the same order. */
  id: string;
  /** Decimal string such as `"49.90"`: at most 12 digits before and 4 after the point, not negative. Refunds come from your server. */
  amount: string | number;
  /** ISO 4217 code such as `"EUR"`. */
  currency: string;
  /**
   * What was bought, at most 200.
   * @default none
   */
  items?: OrderItem[];
}

/** One line of an {@link Order}. */
export interface OrderItem {
  /**
   * The shop's number of the article.
   * @default none
   */
  sku?: string;
  /**
   * Name of the article.
   * @default none
   */
  name?: string;
  /**
   * How many pieces.
   * @default none
   */
  quantity?: number;
  /**
   * Price of one piece in the currency of the order, as a decimal string.
   * @default none
   */
  price?: string;
}

/** What {@link Options.before} is called with: a copy that it may change. */
export type Fact = PageViewFact | EventFact | OrderFact;

/** A page view. */
export interface PageViewFact {
  readonly kind: "page_view";
  /** Absolute, without a fragment unless it is a route; relative ones are taken as relative to the page. */
  url: string;
  referrer?: string;
  /** The page's title; absent where it is not known to be that of this page, or without consent. */
  title?: string;
  /** Screen, viewport, language, time zone and browser; absent without consent. */
  device?: Record<string, unknown>;
}

/** An event. */
export interface EventFact {
  readonly kind: "event";
  /** Of the page. */
  url?: string;
  name: string;
  props?: Record<string, unknown>;
}

/** An order. Its number cannot be changed. */
export interface OrderFact {
  readonly kind: "order";
  /** Of the page. */
  url?: string;
  readonly id: string;
  amount: string;
  currency: string;
  items?: OrderItem[];
}

/** What {@link login} resolves with. */
export interface SignedIn {
  /** The server's identifier of the user; empty in Node. */
  user_id: string;
}

/** What {@link session} resolves with. */
export interface Session {
  /** The signed-in user's identifier; null: nobody is signed in. */
  user: string | null;
  /** Names the session; no credential. */
  session: string;
  /** When the session began. */
  createdAt: Date;
  /** null while nobody is signed in. */
  signedInAt: Date | null;
  /** When the browser was last active. */
  lastActivity: Date;
  /** When it expires if nothing happens. */
  expiresAt: Date;
  /** The visitor and the site of the session's visit, if it has one. */
  visitor: string | null;
  site: string | null;
}

/** One of the {@link sessions} of a user. */
export interface UserSession {
  /** Names the session, for {@link endSession}; no credential. */
  session: string;
  /** Such as "Firefox on Linux"; null where it is not known. */
  device: string | null;
  /** Whether it is the session of this browser. */
  current: boolean;
  /** Whether the user asked to stay signed in. */
  remembered: boolean;
  createdAt: Date;
  signedInAt: Date | null;
  lastActivity: Date;
  /** When it expires if nothing happens. */
  expiresAt: Date;
}

/** A row of what is stored, by the names of its fields; times are texts of RFC 3339. */
export type StoredRow = Record<string, unknown>;

/** A visit, and what is stored of it. */
export interface StoredVisit {
  id: string;
  site: string;
  /** The user that it was linked to. */
  user_id: string | null;
  started_at: string;
  last_activity: string;
  ended_at: string | null;
  page_views: StoredRow[];
  events: StoredRow[];
  orders: StoredRow[];
  refunds: StoredRow[];
  sessions: StoredRow[];
  [field: string]: unknown;
}

/** What {@link visitorData} resolves with. */
export interface VisitorData {
  visitor_id: string;
  visits: StoredVisit[];
  /** Of no visit that is stored. */
  orders: StoredRow[];
  refunds: StoredRow[];
}

/** Why {@link session} and its kin reject. */
export interface SessionError extends Error {
  /** Status of the answer; 0 where none came. */
  status: number;
}

/** What follows a consent manager: see `visitflow/consent/google` and `visitflow/consent/tcf`. */
export interface Decisions {
  /** The visitor consents. */
  grant(): void;
  /** The visitor declines. */
  deny(): void;
}

/**
 * What visitflow knows about itself, for debugging and for privacy pages. What may be absent is, until
 * something is loaded.
 */
export interface Snapshot {
  /** Version of the client. */
  version: string;
  /** The consent in force; `"denied"` too where Global Privacy Control is honoured. */
  consent: Consent;
  /** The visitor's identifier; null without consent. */
  visitor_id: string | null;
  /**
   * `"none"`: no session is known; `"starting"`; `"live"`; `"ended"` by {@link end};
   * `"refused"`: the server does not count this browser (a bot, for instance).
   */
  session: "none" | "starting" | "live" | "ended" | "refused";
  /** Milliseconds since the Unix epoch, from the cookie `last_activity`; null if there is none. */
  last_activity?: number | null;
  /** Facts that the server has not confirmed yet. */
  queued?: number;
  /** Facts that the server has confirmed since the page loaded. */
  sent?: number;
  /** Facts that were given up: invalid, refused by the server, without consent, or over the limit of 200. */
  dropped: number;
  /** Whether this page's cookies stick; null before consent. */
  cookies?: boolean | null;
}

/**
 * Begins measuring. Call it once; later calls change nothing. The script tag calls it by itself.
 */
export function init(options?: Options): void;

/** The visitor consents: cookies are written, the landing page view is sent. */
export function grant(): void;

/**
 * The visitor takes consent back, in all tabs: nothing more is sent, what waits is discarded, the
 * cookies are deleted and the visit ends. Who is signed in stays signed in. Resolves once the server was
 * told; never rejects.
 */
export function revoke(): Promise<void>;
/**
 * The same, and the server erases everything that it has stored about the visitor, and ends the sessions in
 * the visitor's visits. Rejects with an
 * `Error` whose message says what to do if it could not: call it again on the same page.
 */
export function revoke(options: { erase: true }): Promise<void>;

/** The visitor declines. After a {@link grant} it is a {@link revoke}. */
export function deny(): void;

/**
 * Calls `listener` with each new consent that your page or a consent manager sets, and with `"denied"` when the visitor
 * takes consent back in another tab. Returns a function that ends it.
 */
export function onConsentChange(listener: (consent: Consent) => void): () => void;

/**
 * Sends a page view, for pages that set `autoPageViews: false`.
 * @param url address of the page, relative to the current one; default the current one
 */
export function pageView(url?: string): void;

/**
 * Sends a custom event. While consent is pending it waits on this page for a decision; without consent it is dropped. {@link Visitflow} checks names and properties.
 * @param name at most 64 characters
 * @param props a JSON object of at most 4096 bytes
 */
export function event(name: string, props?: object): void;
/**
 * The same, with a promise that resolves once the event is stored durably. It rejects with an `Error` if the server
 * refuses the event (the message says why), if it is dropped, if the client is blocked, or at once if consent is not
 * granted (while it is pending the event still waits for the decision). If the server cannot be reached it waits.
 */
export function event(name: string, props: object | undefined, options: Confirm): Promise<void>;

/** The last argument of {@link event} and {@link order}. */
export interface Confirm {
  /** Return a promise that resolves once the server has stored the fact. */
  confirm: true;
}

/**
 * Sends an order. While consent is pending it waits on this page for a decision; without consent it is dropped: report
 * it from your server then.
 */
export function order(order: Order): void;
/** The same, with a promise that resolves once the order is stored durably; it rejects as that of {@link event}. */
export function order(order: Order, options: Confirm): Promise<void>;

/**
 * Sends what waits without further delay. Resolves once all of it is stored, or a try has failed: then the rest goes on
 * waiting.
 */
export function flush(): Promise<void>;

/**
 * This browser is not measured at all from now on, for example because it belongs to you: it loses its identifier and
 * gets the cookie `visitflow_ignore`, for 400 days (Safari keeps it for seven). Nothing else sets this cookie.
 * With `false` the cookie is deleted, and the next page is measured again. Rejects if the browser keeps no cookies.
 */
export function ignoreMe(on?: boolean): Promise<void>;

/**
 * Signs in with the visitflow server. Without consent it signs in without measuring. With `remember: true` the
 * user stays signed in for 30 days without activity instead of 30 minutes, if the server has no other limits.
 * Rejects with an `Error` whose message says what to do.
 */
export function login(username: string, password: string, options?: { remember?: boolean }): Promise<SignedIn>;
/** The same by a JWT of the site's own identity provider, for servers that run with `--jwt-key`. */
export function login(by: { assertion: string; remember?: boolean }): Promise<SignedIn>;

/** Signs out; the visit goes on. Rejects with an `Error` whose message says what to do. */
export function logout(): Promise<void>;

/**
 * Ends the session; consent stays. The next page view, event or order begins a new one.
 * Rejects with an `Error` whose message says what to do.
 */
export function end(): Promise<void>;

/**
 * Who is signed in, asked of the server; null without a live session. It writes nothing and does not wait for
 * consent, but is asked by your page alone: before a sign-in there is nothing to ask. Loads a small file.
 *
 * ```js
 * try {
 *   const user = (await visitflow.session())?.user ?? null; // null: nobody is signed in
 * } catch {
 *   // Nobody can tell: offline, or the server is away. That is not signed out: show what you showed.
 * }
 * ```
 *
 * Rejects with a {@link SessionError} where nobody can tell.
 */
export function session(): Promise<Session | null>;

/**
 * All sessions of the signed-in user, this browser's among them; none while nobody is signed in. Rejects as
 * {@link session}.
 */
export function sessions(): Promise<UserSession[]>;

/**
 * Ends a session of the signed-in user, such as on a device that was lost. Resolves once it has ended;
 * rejects as {@link session}.
 */
export function endSession(session: string): Promise<void>;
/** Ends all sessions of the user but this one. */
export function endSession(which: { others: true }): Promise<void>;

/**
 * All that is stored of this browser's visitor; null for a browser without a visitor. Rejects as {@link session};
 * with the status 403 where the browser does not hold the visitor's key: only the site's owner can help then. To
 * erase it, call {@link revoke} with `{ erase: true }`.
 */
export function visitorData(): Promise<VisitorData | null>;

/** What visitflow knows about itself. Never rejects and never loads anything. */
export function snapshot(): Promise<Snapshot>;

/** Any name, with any properties. */
export type AnyEvents = Record<string, object | undefined>;

/** What `event` takes, for these events: a name of theirs, and its properties. */
export type EventArguments<Events extends object> = {
  [Name in keyof Events & string]: [Events[Name]] extends [undefined]
    ? [name: Name]
    : {} extends Events[Name]
      ? [name: Name, props?: Events[Name]]
      : [name: Name, props: Events[Name]];
}[keyof Events & string];

/**
 * The functions of this module. With a type parameter it knows the events of your site by their names and
 * properties; `undefined` stands for an event without properties:
 *
 * ```ts
 * import * as client from "visitflow";
 *
 * export const visitflow: Visitflow<{ signup: { plan: string }; search: undefined }> = client;
 * visitflow.event("signup", { plan: "pro" });
 * ```
 */
export interface Visitflow<Events extends object = AnyEvents> {
  onConsentChange: typeof onConsentChange;
  init: typeof init;
  grant: typeof grant;
  revoke: typeof revoke;
  deny: typeof deny;
  pageView: typeof pageView;
  event(...event: EventArguments<Events>): void;
  event<Name extends keyof Events & string>(name: Name, props: Events[Name], options: Confirm): Promise<void>;
  order: typeof order;
  login: typeof login;
  logout: typeof logout;
  end: typeof end;
  flush: typeof flush;
  ignoreMe: typeof ignoreMe;
  snapshot: typeof snapshot;
  session: typeof session;
  sessions: typeof sessions;
  endSession: typeof endSession;
  visitorData: typeof visitorData;
}

/** What the kits give to components: all functions but `init`, which the kit calls. */
export type VisitflowFunctions<Events extends object = AnyEvents> = Omit<Visitflow<Events>, "init">;

/** What the kits tell of who is signed in. */
export interface UserState {
  /**
   * `"loading"`: not known yet. `"unknown"`: nobody can tell at the moment (offline, or the server is away);
   * `user` and `session` are what they were before, and it is asked again every few seconds.
   */
  status: "loading" | "signed-in" | "signed-out" | "unknown";
  /** The signed-in user's identifier, or null. */
  user: string | null;
  /** The session, or null. */
  session: Session | null;
  /** Asks anew. */
  refresh: () => Promise<void>;
}

/** What the kits tell of the visitor's decision, and the functions that change it: all that a banner needs. */
export interface ConsentState {
  /**
   * What the visitor decided last. Whether a browser that objects (Global Privacy Control) is
   * measured all the same is another matter: `snapshot()` tells the consent in force.
   *
   * With `rememberConsent` it is undefined on a server and at the first rendering, because only the browser knows what
   * was decided. Show neither banner nor answer then.
   */
  consent: Consent | undefined;
  /** The visitor consents. */
  grant: () => void;
  /** The visitor declines. */
  deny: () => void;
  /** Resolves once the server was told; rejects only if an erasure was asked for and is not confirmed. */
  revoke: typeof revoke;
}

/**
 * The script tag's global: the same functions, also callable as a command
 * (`visitflow("event", "play", {level: 3})`), which a stub can queue before the script arrives.
 */
export interface VisitflowTag<Events extends object = AnyEvents> extends Visitflow<Events> {
  (command: "grant" | "deny"): void;
  (command: "revoke" | "logout" | "end" | "flush"): Promise<void>;
  (command: "ignoreMe", on?: boolean): Promise<void>;
  (command: "pageView", url?: string): void;
  (command: "event", ...event: EventArguments<Events>): void;
  (command: "event", name: string, props: object | undefined, options: Confirm): Promise<void>;
  (command: "order", order: Order): void;
  (command: "order", order: Order, options: Confirm): Promise<void>;
  (command: "revoke", options: { erase: true }): Promise<void>;
  (command: "login", username: string, password: string, options?: { remember?: boolean }): Promise<SignedIn>;
  (command: "login", by: { assertion: string; remember?: boolean }): Promise<SignedIn>;
  (command: "snapshot"): Promise<Snapshot>;
  (command: "session"): Promise<Session | null>;
  (command: "sessions"): Promise<UserSession[]>;
  (command: "endSession", which: string | { others: true }): Promise<void>;
  (command: "visitorData"): Promise<VisitorData | null>;
  (command: "onConsentChange", listener: (consent: Consent) => void): () => void;
  (command: "init", options?: Options): void;
}

declare global {
  interface Window {
    /** Set by the script tag; not by the import. */
    visitflow?: VisitflowTag;
  }
}
