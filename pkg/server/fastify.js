import { gate } from "./gate.js";
import { keepFromCaches } from "./node-response.js";

/** A hook `onRequest` for Fastify 5: `request.visitflow` is the session. */
export const fastify = (session) => (options = {}) => {
  const refused = gate(options);
  return async (request, reply) => {
    const found = await session(request);
    request.visitflow = found;
    for (const value of found.setCookie) reply.header("set-cookie", value);
    if (found.setCookie.length > 0) keepFromCaches(reply.raw);
    const refusal = refused(found);
    if (refusal === null) return;
    if (refusal.answer) await refusal.answer(request, reply);
    else reply.code(refusal.status).headers(refusal.headers).type("text/plain; charset=utf-8").send(refusal.text);
    return reply; // the route does not run
  };
};
