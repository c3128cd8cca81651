// From when the shell is there until Rust is: routes count, and what was told is sent where the page is left.

import { isLive } from "./activity.js";
import { isGranted, maySend } from "./consent.js";
import { HEAD_START_MS, NEWS_MS } from "./generated.js";
import { drop, keep } from "./kept.js";
import { countAhead, storeAhead } from "./numbers.js";
import { options } from "./options.js";
import { depth } from "./page.js";
import { beaconFacts, postFact } from "./requests.js";
import { catchUp, land, watchRoutes } from "./routes.js";
import { beaconPing } from "./session.js";
import { makeView, other } from "./views.js";
import { name, named, recognise } from "./visitor.js";

const isView = (call) => call.name == "page_view";

// Facts of the calls that may be sent; those that the server has stay for Rust to take over.
const takeFacts = (waiting) =>
  waiting
    .splice(0)
    .filter((call) => (maySend(isView(call)) && !call.fact?.stored) || !waiting.push(call))
    .map((call) => call.fact ?? (isView(call) ? makeView(call, isGranted()) : other(call)))
    .filter((fact) => fact);

/** Watches until the signal. `sent` resolves once the view of the first call has its answer. */
export const watchEarly = (waiting, sent, signal) => {
  const [first] = waiting;
  const looked = document.hasFocus();
  let told;
  let until; // the next view

  const engagement = (fact) => {
    const engaged_ms = Math.min((until ?? Date.now()) - fact.at, HEAD_START_MS);
    if (!(looked || document.hasFocus()) || told || engaged_ms < NEWS_MS) return;
    told = true;
    beaconPing(fact, engaged_ms, Math.round(depth()));
  };

  const leave = ({ type }) => {
    const full = isGranted();
    const known = full && recognise();
    // Another tab may have taken consent back.
    if (!maySend(true) || (full && options.known && !known)) return;
    const fact = known && first?.fact?.visitor == named() && first.fact;
    if (fact?.stored) {
      storeAhead(true);
      engagement(fact);
    } else if (fact) {
      keep(fact);
      sent.then(() => fact.stored && drop(fact));
    }
    if (type != "pagehide") return;
    if (full && !known) name();
    if (full && !fact && !(known && isLive())) countAhead();
    const facts = takeFacts(waiting);
    if (full) beaconFacts(facts);
    else for (const fact of facts) postFact(fact, true);
  };

  land(first?.href ?? location.href);
  const push = (call) => {
    if (!maySend(true)) return;
    waiting.push(call);
    until ??= call.at;
    options.hurry();
  };
  const counts = options.autoPageViews && push;
  if (!document.prerendering) {
    catchUp(counts);
    watchRoutes(counts, signal);
  }
  const on = (name, then) => addEventListener(name, then, { capture: true, signal });
  on("pagehide", leave);
  on("visibilitychange", (event) => document.hidden && leave(event));
};
