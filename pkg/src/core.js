// The WebAssembly: ahead of it goes the view that the page came with; the rest can wait.

import { initSync } from "glue";
import { isIgnored, setConsent } from "../../client-wasm/shell/consent.js";
import { watchEarly } from "../../client-wasm/shell/early.js";
import { sendFirst } from "../../client-wasm/shell/first.js";
import { forget } from "../../client-wasm/shell/forget.js";
import { isShaped, setOptions } from "../../client-wasm/shell/options.js";
import wired from "./wired.js";

/** How long the WebAssembly may be put off, in ms. */
const LATEST = 4000;

const after = (ms) => new Promise((late) => setTimeout(late, ms));

/**
 * Resolves when the page calls, when the visitor acts, or at last anyway; once consent is taken back only for a
 * call.
 */
const wanted = (options) =>
  new Promise((now) => {
    options.hurry = now;
    if (options.urgent || options.capture) now();
    const due = () => /granted|anonymous/.test([options.consent, options.beforeConsent]) && now();
    for (const name of ["pointerdown", "keydown"]) addEventListener(name, due, { once: true });
    setTimeout(due, LATEST);
  });

let wait; // once: who tries again waits no more

const begin = async (options, waiting) => {
  setOptions(options);
  options.forget = forget;
  const drop = () => {};
  if (isIgnored()) {
    options.shape = drop;
    options.beforeConsent = "silent";
  } else if (isShaped()) {
    options.shape = drop; // without the file nothing is told
    await import(EXTRAS).then((file) => file.default(options, waiting), options.complain);
  }
  const named = options.cookieNames && import(EXTRAS).then((file) => file.checkNames(options) || setConsent("denied"));
  const sent = sendFirst(waiting).catch(() => {});
  const call = wanted(options);
  options.early = new AbortController();
  watchEarly(waiting, sent, options.early.signal);
  // Where the answer takes long, Rust takes over what is under way.
  return Promise.race([sent, after(3000)]).then(() => named).then(() => waiting[0]?.fact?.stored && call);
};

/** Starts the WebAssembly at this address, or of these bytes, or that is compiled already. */
export default async (source, options, waiting) => {
  await (wait ??= begin(options, waiting));
  await new Promise((idle) => (window.requestIdleCallback || setTimeout)(idle, { timeout: 2000 }));
  source = await (source instanceof URL ? fetch(source) : source);
  if (source instanceof Response) {
    // A server may not know the type application/wasm; then it is compiled once it is there.
    const known = /wasm/.test(source.headers.get("content-type"));
    source = await (known ? WebAssembly.compileStreaming(source) : source.arrayBuffer());
  }
  initSync(source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source));
  return wired.shown(waiting);
};
