// The WebAssembly.

import { initSync } from "glue";
import wired from "./wired.js";

/** How long the WebAssembly may be put off, in ms. */
const LATEST = 4000;

const after = (ms) => new Promise((late) => setTimeout(late, ms));

let wait; // once: who tries again waits no more

/**
 * Resolves when the page calls (the loader tells by `urgent`), when the visitor acts, or at last anyway;
 * once consent is taken back only for a call.
 */
const wanted = (options) =>
  (wait ??= new Promise((now) => {
    if (options.urgent || options.capture) now();
    Object.defineProperty(options, "urgent", { set: (is) => is && now() });
    const due = () => /granted|anonymous/.test([options.consent, options.beforeConsent]) && now();
    for (const name of ["pointerdown", "keydown"]) addEventListener(name, due, { once: true });
    window.navigation?.addEventListener("currententrychange", due, { once: true });
    setTimeout(due, LATEST);
  }));

/**
 * Starts the WebAssembly at this address, or of these bytes, or that is compiled already. Before that goes
 * the view that the page came with; once the server has it, the rest can wait.
 */
export default async (source, options, facts) => {
  const first = () => facts()[0];
  const sent = wired.ahead(options, first);
  const call = wanted(options);
  // Where the answer takes long, Rust takes over what is under way.
  await Promise.race([sent, after(3000)]);
  if (first()?.[4]) await call;
  await new Promise((idle) => (window.requestIdleCallback || setTimeout)(idle, { timeout: 2000 }));
  source = await (source instanceof URL ? fetch(source) : source);
  if (source instanceof Response) {
    // A server may not know the type application/wasm; then it is compiled once it is there.
    const known = /wasm/.test(source.headers.get("content-type"));
    source = await (known ? WebAssembly.compileStreaming(source) : source.arrayBuffer());
  }
  initSync(source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source));
  return wired.shown(facts());
};
