// The WebAssembly.

import { initSync } from "glue";
import * as wired from "./wired.js";

/** Starts the WebAssembly that this answer brings, or these bytes are, or that is compiled already. */
export default async (source) => {
  source = await source;
  if (source instanceof Response) {
    if (!source.ok) throw Error(`${source.url}: ${source.status}`);
    // A server may not know the type application/wasm; then it is compiled once it is there.
    const late = source.clone();
    source = await WebAssembly.compileStreaming(source).catch(() => late.arrayBuffer());
  }
  initSync({ module: source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source) });
  return wired;
};
