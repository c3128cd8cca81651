// The site and the collector: one server on loopback, the same for every contestant.

import { createServer } from "node:http";
import { brotliCompressSync } from "node:zlib";

const TYPES = { js: "text/javascript; charset=utf-8", wasm: "application/wasm" };

const page = (head) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shop</title>
<link rel="icon" href="data:,"><style>body { font: 1rem/1.5 sans-serif; max-width: 40rem; margin: auto }</style>
${head}</head><body><h1>A shop</h1>${"<p>Something to read, and to scroll over, as pages have it.</p>".repeat(200)}</body></html>`;

/** Starts the server; `serve(contestant)` says who is measured next. */
export async function open() {
  let current;
  let files = new Map();
  let asked; // when the page was asked for
  let arrived; // called once the first view is there

  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    const name = path.slice(1);
    if (path === "/") {
      asked = performance.now();
      response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(page(current.head));
    } else if (files.has(name)) {
      const headers = { "Content-Type": TYPES[name.split(".").at(-1)], "Content-Encoding": "br", "Cache-Control": "max-age=3600" };
      response.writeHead(200, headers).end(files.get(name));
    } else {
      const [status, body] = current.answers[path] ?? [404];
      request.resume().on("end", () => {
        if (path === current.view) arrived?.(performance.now() - asked);
        response.writeHead(status).end(body?.());
      });
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () => server.close(),
    /** Serves a contestant from now on; resolves with the time of its first view in ms, or in vain. */
    serve(contestant) {
      current = contestant;
      files = new Map(Object.entries(contestant.files).map(([name, data]) => [name, brotliCompressSync(data)]));
      return new Promise((resolve, reject) => {
        if (!contestant.view) return resolve(null);
        const late = setTimeout(() => reject(new Error(`${contestant.name} reported no view in 20 s`)), 20_000);
        arrived = (ms) => {
          clearTimeout(late);
          resolve(ms);
        };
      });
    },
  };
}
