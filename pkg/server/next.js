import { gate } from "./gate.js";
import { withCookies } from "./response.js";

/** For Next.js 15 and later. What Next has itself, such as `headers()`, is given as an argument. */
export const next = (session) => ({
  /** Wraps a route handler, or a proxy (middleware): `request.visitflow` is the session. */
  handler(handle, options = {}) {
    const refused = gate(options);
    return async (request, context) => {
      const found = await session(request);
      request.visitflow = found;
      const refusal = refused(found);
      const answer =
        refusal === null ? await handle(request, context)
        : refusal.answer ? await refusal.answer(request)
        : new Response(refusal.text, { status: refusal.status, headers: refusal.headers });
      if (!answer) throw new TypeError("visitflow: a handler returns a Response, a proxy that lets a request pass NextResponse.next()");
      return withCookies(answer, found.setCookie);
    };
  },

  /**
   * The session for a server component, which cannot set cookies: so it does not touch the session. A proxy
   * does that.
   */
  session: (headers) => session(headers, { touch: false }),

  /** Sets cookies of `bind` or `unbind` where Next's `cookies()` alone can: in a server action. */
  setCookies(cookies, setCookie) {
    for (const text of setCookie) cookies.set(parsed(text));
  },
});

/** A header `Set-Cookie` as Next takes it. */
function parsed(text) {
  const [[name, value], ...attributes] = text.split(/; */).map((part) => {
    const at = part.indexOf("=");
    return at < 0 ? [part.toLowerCase()] : [part.slice(0, at), part.slice(at + 1)];
  });
  const cookie = { name, value };
  for (const [attribute, given] of attributes) {
    switch (attribute.toLowerCase()) {
      case "httponly": cookie.httpOnly = true; break;
      case "secure": cookie.secure = true; break;
      case "samesite": cookie.sameSite = given.toLowerCase(); break;
      case "max-age": cookie.maxAge = Number(given); break;
      case "path": cookie.path = given; break;
      case "domain": cookie.domain = given; break;
    }
  }
  return cookie;
}
