// What Rust hears of: its own functions, called one at a time.

import { options } from "./options.js";
import { serially } from "./serial.js";

let happened, answered, adopted, pageView;

/** Connects the functions that lib.rs exports. */
export const connect = (...functions) => {
  [happened, answered, adopted, pageView] = functions;
};

/** Tells of something that happened, one of generated.js. */
export const tell = (what) => {
  options.trace?.("happened", what);
  serially(() => happened(what));
};

/** Tells of an answer. */
export const tellAnswer = (ticket, { status, after, body }) => serially(() => answered(ticket, status, after, body));

/** Tells of a view of the page. */
export const tellView = (call) => {
  options.trace?.("view", call.href);
  serially(() => pageView(call, call.at));
};

/** Tells, once this turn is over, of a fact that an earlier page could not send. */
export const tellKept = (fact, isOrder) => queueMicrotask(() => serially(() => adopted(fact, isOrder, fact.at)));
