// What happens in the page and in other tabs, as far as consent allows.

import { attempt } from "./attempt.js";
import { ACTIVITY, CHANNEL, HIDE, LOOK, ONLINE, RESTORED, REVOKED, SCROLL } from "./generated.js";
import { watchRoutes } from "./routes.js";
import { tell, tellView } from "./rust.js";
import { forgetEverywhere } from "./tabs.js";

let watching; // an AbortController; its end removes every listener
let channel; // to the other tabs

/** Watches until `rest`: routes, to count views or for their titles alone, and in full what the visitor does. */
export const watch = (counts, full) => {
  const { signal } = (watching = new AbortController());
  const on = (names, then) => {
    for (const name of names.split(" ")) addEventListener(name, then, { capture: true, passive: true, signal });
  };
  // Tells it at most every `ms`; what happens in between costs nothing.
  const often = (names, ms, what) => {
    const hear = () => {
      for (const name of names.split(" ")) removeEventListener(name, hear, true);
      setTimeout(() => signal.aborted || often(names, ms, what), ms);
      tell(what);
    };
    on(names, hear);
  };

  on("pageshow", ({ persisted }) => persisted && tell(RESTORED));
  watchRoutes(counts && tellView, signal);
  on("pagehide", () => tell(HIDE));
  if (!full) return;
  often("click keydown pointerdown", 1000, ACTIVITY);
  often("scroll", 250, SCROLL);
  on("visibilitychange focus blur", () => tell(LOOK));
  on("online", () => tell(ONLINE));
  attempt(() => {
    channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = () => tell(REVOKED);
  });
};

/** Ends all watching. */
export const rest = () => {
  channel?.close();
  watching?.abort();
  channel = watching = undefined;
};

/** Consent was taken back here: tells the other tabs, and empties the storage. */
export const tellOthers = () => {
  rest();
  forgetEverywhere();
};
