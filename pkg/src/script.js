// The script tag: options from data-* attributes, the global `visitflow`, and the commands that a
// stub has queued before this script arrived.

import { create } from "./client.js";

// A module is nobody's current script. Where its tag is not found either, it waits for consent, and then looks for its
// companions beside the page.
const script = document.currentScript ?? document.querySelector("script[data-consent],[src*=visitflow]");
const earlier = window.visitflow;

// A second tag on the same page changes nothing.
if (!earlier?.snapshot) {
  const beside = new URL("visitflow-", script?.src ?? location).href;
  const load = (what, ...all) => import(beside + what + HASH + ".js").then((file) => file.default(...all));
  const api = create(load, new URL(".", beside));
  const visitflow = (name, ...args) => api[name]?.(...args);
  window.visitflow = Object.assign(visitflow, api);
  api.init({ ...script?.dataset });
  for (const command of earlier?.q || []) {
    const answer = visitflow(...command);
    command.done?.(answer);
  }
}
