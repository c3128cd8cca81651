// What the script tag loads: the WebAssembly, or else the fallback.

import start from "./core.js";

export default (wasm) => start(wasm).catch(async () => (await import(FALLBACK)).default());
