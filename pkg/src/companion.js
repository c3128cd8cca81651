// What the script tag loads: the WebAssembly, or else the fallback.

import start from "./core.js";

export default (...early) =>
  start(new URL(WASM, import.meta.url), ...early).catch(async () => (await import(FALLBACK)).default(...early));
