import { gate } from "./gate.js";
import { withCookies } from "./response.js";

/** A hook `handle` for SvelteKit: `event.locals.visitflow` is the session. */
export const sveltekit = (session) => (options = {}) => {
  const refused = gate(options);
  return async ({ event, resolve }) => {
    const found = await session(event.request);
    event.locals.visitflow = found;
    const refusal = refused(found);
    const answer =
      refusal === null ? await resolve(event)
      : refusal.answer ? await refusal.answer(event)
      : new Response(refusal.text, { status: refusal.status, headers: refusal.headers });
    return withCookies(answer, found.setCookie);
  };
};
