// The script tag: options from data-* attributes, the global `visitflow`, and the commands that a
// stub has queued before this script arrived.

import { create } from "./client.js";

const script = document.currentScript;
const earlier = window.visitflow;

// A second tag on the same page changes nothing.
if (script && !earlier?.snapshot) {
  const load = async () => {
    const [core, wasm] = await Promise.all([
      import(new URL(GLUE, script.src).href),
      fetch(new URL(WASM, script.src).href),
    ]);
    await core.default(wasm);
    return core;
  };
  const api = create(load, () => new URL(script.src).origin);
  const visitflow = (name, ...args) => api[name]?.(...args);
  window.visitflow = Object.assign(visitflow, api);

  const { autoPageViews, pingInterval, ...given } = script.dataset;
  api.init({ ...given, autoPageViews: autoPageViews != "false", pingIntervalMs: +pingInterval });
  for (const command of earlier?.q || []) visitflow(...command);
}
