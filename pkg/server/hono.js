import { gate } from "./gate.js";

/** Middleware for Hono: `c.get("visitflow")` is the session. */
export const hono = (session) => (options = {}) => {
  const refused = gate(options);
  return async (c, next) => {
    const found = await session(c.req.raw);
    c.set("visitflow", found);
    const refusal = refused(found);
    if (refusal === null) await next();
    else if (refusal.answer) c.res = await refusal.answer(c);
    else c.res = c.text(refusal.text, refusal.status, refusal.headers);
    for (const value of found.setCookie) c.header("set-cookie", value, { append: true });
    // An answer with a session's cookie is for one browser: no cache keeps it, whatever the page says.
    if (found.setCookie.length > 0) c.header("cache-control", "no-store");
  };
};
