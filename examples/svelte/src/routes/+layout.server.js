export function load({ locals, setHeaders }) {
  // The page holds the visitor's decision: without this, "back" may show a copy that holds an older one.
  setHeaders({ "cache-control": "private, no-store" });
  return { consent: locals.consent };
}
