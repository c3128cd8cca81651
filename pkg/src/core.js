// The WebAssembly.

import { initSync } from "glue";
import wired from "./wired.js";

/**
 * Starts the WebAssembly at this address, or of these bytes, or that is compiled already. Before that goes
 * the view that the page came with, and what the page itself is busy with.
 */
export default async (source, ...early) => {
  let ahead;
  await new Promise((out) => (ahead = wired.ahead(...early, out).finally(out)));
  await new Promise((idle) => (window.requestIdleCallback || setTimeout)(idle, { timeout: 2000 }));
  try {
    source = await (source instanceof URL ? fetch(source) : source);
    if (source instanceof Response) {
      // A server may not know the type application/wasm; then it is compiled once it is there.
      const known = /wasm/.test(source.headers.get("content-type"));
      source = await (known ? WebAssembly.compileStreaming(source) : source.arrayBuffer());
    }
    initSync(source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source));
  } finally {
    // Where the answer takes long, Rust takes over what is under way.
    await Promise.race([ahead, new Promise((late) => setTimeout(late, 3000))]);
  }
  return wired;
};
