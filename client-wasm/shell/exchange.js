// Requests of Rust: each has a ticket, by which its answer is told.

import { ERASE } from "./generated.js";
import { json } from "./json.js";
import { keep } from "./kept.js";
import { beaconFacts, post, postFact } from "./requests.js";
import { tellAnswer } from "./rust.js";

const underWay = new Map(); // ticket → AbortController

// Rust hears of an answer unless it has given the request up.
const exchange = async (ticket, run) => {
  const controller = new AbortController();
  underWay.set(ticket, controller);
  const answer = await run(controller);
  if (underWay.delete(ticket)) tellAnswer(ticket, answer);
  return answer;
};

/** Gives up a request. */
export const abort = (ticket) => {
  const controller = underWay.get(ticket);
  underWay.delete(ticket);
  controller?.abort();
};

/** Posts a body of the client's own. */
export const send = (ticket, path, body) => exchange(ticket, (controller) => post(path, json(body), {}, controller));

/** Sends a request of the page; one that signs in says so if that is not to be measured. */
export const ask = (ticket, path, body, measured) =>
  exchange(ticket, (controller) =>
    post(
      path,
      json({ ...body, ...(body && !measured && { visit: false }) }),
      {
        method: path == ERASE ? "DELETE" : "POST",
        ...(/auth|privacy/.test(path) && { headers: { "Content-Type": "application/json" } }),
      },
      controller,
    ),
  );

/** Sends a fact, unless it went ahead and the server has it; anonymously without cookies. */
export const sendFact = (ticket, fact, anonymous) => {
  exchange(ticket, async (controller) => (fact.answer = fact.stored ? { status: 204, after: 0 } : await postFact(fact, anonymous, controller)));
  if (!fact.stored && !anonymous) keep(fact); // the visitor may have been named anew
};

/** Sends an anonymous fact and ignores the answer: the page is being left. */
export const sendAnonymously = (fact) => {
  postFact(fact, true);
};

const gathered = [];

/** Takes a fact for the next `flush`. */
export const gather = (fact) => {
  gathered.push(fact);
};

/** Sends what was gathered by beacon. */
export const flush = () => beaconFacts(gathered.splice(0));
