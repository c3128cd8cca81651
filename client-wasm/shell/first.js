// The view of the page that was opened goes ahead of the WebAssembly; the server begins a session by it if none
// is alive.

import { isLive, writeActivity } from "./activity.js";
import { isGranted } from "./consent.js";
import { readCookie } from "./cookies.js";
import { CHANNEL, SESSION_FORGET } from "./generated.js";
import { countAhead } from "./numbers.js";
import { options } from "./options.js";
import { beacon, postFact } from "./requests.js";
import { makeView } from "./views.js";
import { name, recognise, unname } from "./visitor.js";

/**
 * Sends the view of the first call, as long as that waits, and puts the fact into it for Rust to take over. What
 * cannot go yet is left to Rust.
 */
export const sendFirst = async (waiting) => {
  const [call] = waiting;
  const waits = () => waiting.includes(call) && !call.fact && isGranted();
  const send = async () => {
    // Another tab may have taken consent back.
    const known = recognise();
    if (!waits() || !(known || (!options.known && name()))) return;
    options.known = true;
    if (!(known && isLive())) countAhead();
    const fact = makeView(call, true);
    if (!fact) {
      // The page's `before` drops the view, so no visitor is created for it.
      if (!known) unname();
      return waiting.shift();
    }
    fact.stored = (await postFact(fact)).status == 204;
    const now = readCookie(options.visitorCookie);
    if (now != fact.visitor) {
      // Consent was taken back, so this view belongs to no visitor any more. The answer may have begun a session since;
      // without it there would be nothing to end yet, so the request is not given up.
      fact.stored = true;
      if (now) return;
      unname();
      beacon(SESSION_FORGET, "{}");
    } else if (fact.stored && waiting.includes(call)) writeActivity(Date.now(), !known);
  };
  if (document.prerendering || call?.name != "page_view" || call.given.url || !waits()) return;
  // In Chromium all tabs read the same cookies at once. Elsewhere the second of two tabs that are opened
  // together waits until the first has an answer.
  await (navigator.userAgentData ? send() : navigator.locks.request(CHANNEL, send));
};
