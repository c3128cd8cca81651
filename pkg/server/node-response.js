// Node's `ServerResponse`, which Express and Fastify write to.

/** An answer with a session's cookie is for one browser: no cache keeps it, whatever the page says. */
export function keepFromCaches(response) {
  const { writeHead } = response;
  response.writeHead = function (...head) {
    this.setHeader("cache-control", "no-store");
    // Headers given here count more than those that are set.
    const last = head.at(-1);
    if (last && typeof last === "object") head[head.length - 1] = { ...last, "cache-control": "no-store" };
    return writeHead.apply(this, head);
  };
}
