import { gate } from "./gate.js";
import { keepFromCaches } from "./node-response.js";

/** Middleware for Express 5: `request.visitflow` is the session. */
export const express = (session) => (options = {}) => {
  const refused = gate(options);
  return async (request, response, next) => {
    const found = await session(request);
    request.visitflow = found;
    for (const value of found.setCookie) response.append("set-cookie", value);
    if (found.setCookie.length > 0) keepFromCaches(response);
    const refusal = refused(found);
    if (refusal === null) next();
    else if (refusal.answer) return refusal.answer(request, response, next);
    else response.status(refusal.status).set(refusal.headers).type("text").send(refusal.text);
  };
};
