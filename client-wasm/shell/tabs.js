// What this browser keeps of the visitor goes in all tabs.

import { attempt } from "./attempt.js";
import { CHANNEL } from "./generated.js";

/** Tells the other tabs that consent was taken back, and empties the storage. */
export const forgetEverywhere = () => {
  attempt(() => new BroadcastChannel(CHANNEL).postMessage(0));
  attempt(() => {
    for (const key in localStorage) if (/^visitflow[:.]/.test(key)) delete localStorage[key];
  });
};
