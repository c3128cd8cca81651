// What the page waits for: that an event or an order is stored.

/** A fact is stored, or given up: `answer` is the last that came. */
export const settle = (fact) => {
  fact.error = fact.answer?.status != 204 && (fact.answer?.body?.detail || "dropped");
  fact.settle?.(fact.error);
};

/** Calls `then(error)` once the fact that a call told of is stored (without an error), or given up. */
export const confirm = (then, { fact }) => {
  if (!fact) then("dropped");
  else if ("error" in fact) then(fact.error);
  else fact.settle = then;
};
