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

// Facts of the calls that may be sent, but for those that the server has. With consent their calls wait on: where the
// page comes back, Rust takes the facts over, and sends again what has no answer.
const takeFacts = (waiting) => {
  const facts = [];
  for (const call of waiting.splice(0)) {
    const goes = maySend(isView(call));
    const fact = goes && (call.fact ?? (isView(call) ? makeView(call, isGranted()) : other(call)));
    if (!goes || (fact && isGranted())) waiting.push(call);
    if (fact && !fact.stored) facts.push(fact);
  }
  return facts;
};

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
    if (full && !known && waiting[0]) name();
    if (full && !fact && !(known && isLive())) countAhead();
    const facts = takeFacts(waiting);
    if (!full) return facts.forEach((fact) => postFact(fact, true));
    facts.forEach(keep);
    beaconFacts(facts);
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
