/**
 * visitflow for backends: whose session a request belongs to.
 *
 * ```js
 * import { sessions } from "visitflow/server";
 *
 * const { session, express } = sessions({ endpoint: "http://127.0.0.1:8080", key: process.env.SESSIONS_KEY });
 * app.get("/account", express({ require: "user" }), (request, response) => response.send(request.visitflow.user));
 * ```
 *
 * Without dependencies, for every runtime with `fetch`: Node.js 20, Deno, Bun, workers.
 */

/** What {@link sessions} takes. */
export interface ServerOptions {
  /** Where this backend reaches the visitflow server, such as `http://127.0.0.1:8080`. */
  endpoint: string;
  /**
   * An API key with the scope `session`: `visitflow key add NAME --scope session`. Keep it on the server. A
   * function is called for each question, for keys that are not there yet when the program is built or starts.
   */
  key: string | (() => string | undefined | Promise<string | undefined>);
  /**
   * The session's cookie: `__Host-session_id` where the server runs with `--cookie-prefix host`.
   * @default "session_id"
   */
  cookieName?: string;
  /**
   * How long to wait for an answer, in ms. After that the session is unknown.
   * @default 2000
   */
  timeoutMs?: number;
  /**
   * Whether a request counts as activity of a signed-in session. The answer then has the cookie anew once a
   * minute.
   * @default true
   */
  touch?: boolean;
  /**
   * How long an answer is believed without asking again, in ms, in this process. What it costs: for so long
   * a session that has ended or changed its user is taken for what it was.
   * @default 0
   */
  cacheMs?: number;
  /**
   * Told when the server refuses the key or the question, which is a mistake of this program. The session
   * is unknown then, too.
   * @default writes a line to `console.error`, once a minute at most
   */
  onError?: (error: Error) => void;
}

/** There is a live session. */
export interface ActiveSession {
  state: "active";
  /** The signed-in user; null: nobody is signed in. */
  user: string | null;
  /** Names the session; no credential. */
  session: string;
  /** The visitor, if the browser has consented and named one. */
  visitor: string | null;
  /** The site of the session's visit. */
  site: string | null;
  createdAt: Date;
  /** When it expires if nothing happens. */
  expiresAt: Date;
  /** Grows with each rotation of the token. */
  generation: number;
  /** `Set-Cookie` headers to add to the answer as they are: they keep the browser's cookie alive. */
  setCookie: string[];
}

/** There is no live session. */
export interface NoSession {
  state: "none";
  user: null;
  setCookie: string[];
}

/** Nobody could tell: a store, or the server, is away. That is not signed out. */
export interface UnknownSession {
  state: "unknown";
  user: null;
  /** Seconds after which to ask again. */
  retryAfter: number;
  /** Why. */
  cause: unknown;
  setCookie: string[];
}

/** What {@link Sessions.session} resolves with. */
export type Session = ActiveSession | NoSession | UnknownSession;

/** What carries the cookie: a `Request`, Node's `IncomingMessage`, or `Headers`. */
export type CookieSource =
  | { headers: { get(name: string): string | null } | Record<string, string | string[] | undefined> }
  | { get(name: string): string | null };

/** What each kit takes. */
export interface KitOptions<OnUnauthorized, OnUnknown = OnUnauthorized> {
  /**
   * `"user"`: answer 401 without a signed-in user, and 503 with `Retry-After` where nobody can tell.
   * @default every request passes
   */
  require?: "user";
  /**
   * Instead of the 401, such as a redirect to the sign-in.
   * @default a 401 with a line of text
   */
  onUnauthorized?: OnUnauthorized;
  /**
   * Instead of the 503, such as a page of your own. It sets status and headers itself; `retryAfter` of the request's
   * {@link UnknownSession} is the value for `Retry-After`, in seconds.
   * @default a 503 with a line of text
   */
  onUnknown?: OnUnknown;
}

/** An active session with a user. */
export type SignedInSession = ActiveSession & { user: string };

/** What the kit for Next.js takes. */
export type NextOptions<R> = KitOptions<
  (request: R) => Response | Promise<Response>,
  (request: R & { visitflow: UnknownSession }) => Response | Promise<Response>
>;

/** For Next.js 15 and later. */
export interface NextKit {
  /**
   * Wraps a route handler, or a proxy (`middleware` before Next.js 16). An answer with the session's cookie is
   * sent with `Cache-Control: no-store`.
   *
   * ```js
   * // proxy.js
   * export const proxy = visitflow.next.handler(() => NextResponse.next());
   * ```
   */
  handler<R extends Request, C = unknown>(
    handle: (request: R & { visitflow: SignedInSession }, context: C) => Response | Promise<Response>,
    options: NextOptions<R> & { require: "user" },
  ): (request: R, context: C) => Promise<Response>;
  handler<R extends Request, C = unknown>(
    handle: (request: R & { visitflow: Session }, context: C) => Response | Promise<Response>,
    options?: NextOptions<R>,
  ): (request: R, context: C) => Promise<Response>;
  /**
   * The session for a server component: `await visitflow.next.session(await headers())`. It cannot set cookies
   * there, so it does not count as activity: a proxy does, and passes the cookie on.
   */
  session(headers: { get(name: string): string | null }): Promise<Session>;
  /** Sets the cookie of `bind` or `unbind` in a server action: `setCookies(await cookies(), setCookie)`. */
  setCookies(cookies: { set(cookie: NextCookie): unknown }, setCookie: string[]): void;
}

/** A cookie as `cookies().set()` of Next.js takes it. */
export interface NextCookie {
  name: string;
  value: string;
  httpOnly?: boolean;
  secure?: boolean;
  sameSite?: "lax" | "strict" | "none";
  maxAge?: number;
  path?: string;
  domain?: string;
}

/** The functions for one visitflow server. */
export interface Sessions {
  /**
   * Whose session the request belongs to. Never throws. Add `setCookie` to your answer, and
   * `Cache-Control: no-store` with it: the cookie is for one browser. Of two different tokens in one request
   * neither counts. `touch`: whether it counts as activity, if not as the option of {@link sessions} says.
   */
  session(request: CookieSource, options?: { touch?: boolean }): Promise<Session>;
  /**
   * Signs a user in whose password your site has checked itself: the token is replaced, the visit gets the
   * user, and the list of the user's sessions names the browser. Add `setCookie` to your answer. `userId` is
   * your site's own id, as a text, not `u_…`; `visit: false` for a visitor who has not consented to being
   * measured; `remember: true` for a user who wants to stay signed in.
   * @throws when it was not done, or no answer came in time (then it may have been done). `status` of the error is
   * what to answer the browser: 503 where visitflow could not be reached, or could not tell; 409 where the session
   * was changed meanwhile; 400 where the browser has several session cookies, and would keep the others; 429; 500 for
   * a mistake of your program, such as a wrong key. With 503 and 429 `retryAfter` is the number of seconds to wait,
   * and `headers` has it as `retry-after`. Express and Fastify send both `status` and `headers` by themselves.
   */
  bind(request: CookieSource, userId: string, options?: { visit?: boolean; remember?: boolean }): Promise<{ setCookie: string[] }>;
  /**
   * Signs out. Add `setCookie` to your answer.
   * @throws as {@link bind}.
   */
  unbind(request: CookieSource): Promise<{ setCookie: string[] }>;
  /**
   * Ends all sessions of a user, in every browser: after a new password, say. With a key for one site, those of
   * that site alone.
   * @throws as {@link bind}.
   */
  endSessions(userId: string): Promise<void>;
  /**
   * Middleware for Express 5; `request.visitflow` is the {@link Session}. An answer that carries the
   * session's cookie is sent with `Cache-Control: no-store`.
   */
  express(
    options?: KitOptions<(request: any, response: any, next: (error?: unknown) => void) => void>,
  ): (request: any, response: any, next: (error?: unknown) => void) => Promise<void>;
  /**
   * Middleware for Hono; `c.get("visitflow")` is the {@link Session}:
   * `new Hono<{ Variables: { visitflow: Session } }>()`. Caches are told as with {@link express}.
   */
  hono(
    options?: KitOptions<(c: any) => Response | Promise<Response>>,
  ): (c: any, next: () => Promise<void>) => Promise<void>;
  /**
   * A hook for Fastify 5, of a route (`{ onRequest: fastify() }`) or of all
   * (`app.addHook("onRequest", fastify())`); `request.visitflow` is the {@link Session}. Caches are told as with
   * {@link express}. `onUnauthorized` and `onUnknown` send an answer.
   */
  fastify(options?: KitOptions<(request: any, reply: any) => unknown>): (request: any, reply: any) => Promise<unknown>;
  /**
   * A hook `handle` for SvelteKit: `event.locals.visitflow` is the {@link Session}. Caches are told as with
   * {@link express}. `onUnauthorized` and `onUnknown` return a response.
   */
  sveltekit(
    options?: KitOptions<(event: any) => Response | Promise<Response>>,
  ): (input: { event: any; resolve: (event: any) => Response | Promise<Response> }) => Promise<Response>;
  /** For Next.js: route handlers, the proxy (middleware), server components and server actions. */
  next: NextKit;
}

/** Asks a visitflow server about sessions. */
export function sessions(options: ServerOptions): Sessions;
