// Runs in the browser: the visitor's decision, for scripts of pages and components.

import { snapshot } from "visitflow";
import { follow, functions, hear } from "../kit/client.js";

const listeners = new Set();
let decision; // undefined until it is known

const decide = (next) => {
  decision = next;
  for (const listener of listeners) listener(decision);
};

export const { grant, deny, revoke } = functions(decide);

/** Starts the client; the integration calls it on each page. */
export async function begin(options) {
  hear(decide);
  follow(options, options.consent);
  const { consent } = await snapshot();
  if (!decision) decide(consent);
}

export const consent = {
  get: () => decision,
  subscribe(listener) {
    listeners.add(listener);
    if (decision) listener(decision);
    return () => listeners.delete(listener);
  },
};
