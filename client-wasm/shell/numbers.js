// The number of a view in its visit, as this browser counts: across tabs and pages, in localStorage, with consent.

import { attempt } from "./attempt.js";
import { isGranted } from "./consent.js";
import { options } from "./options.js";

const VIEWS = "visitflow.views";
const BEGUN = "visitflow.begun";

/** Notes how many views the visit has. */
export const count = (number) => {
  options.views = number;
  attempt(() => (localStorage[VIEWS] = number));
  return number;
};

/** A visit begins. The browser's storage takes its time at first: it is not asked while the page loads. */
export const countAhead = () => {
  options.ahead = 0;
};

/** The number of the next view. */
export const next = () =>
  options.ahead == undefined ? count((+attempt(() => localStorage[VIEWS]) || options.views || 0) + 1) : ++options.ahead;

/** The visitor is forgotten. */
export const uncount = () => {
  options.ahead = undefined;
  options.views = 0;
  attempt(() => {
    delete localStorage[VIEWS];
    delete localStorage[BEGUN];
  });
};

/** Now storage may be asked: with consent it knows of a visit that began ahead, and whether the server `knows`. */
export const storeAhead = (knows) => {
  if (options.ahead && isGranted()) {
    count(options.ahead);
    if (knows) attempt(() => (localStorage[BEGUN] = 1));
  }
  options.ahead = undefined;
};

/** Whether the visit was begun by a view that went ahead, perhaps on an earlier page. */
export const wasBegun = () => attempt(() => localStorage[BEGUN]);

/** A start was answered: the visit is one like others. */
export const settleBegun = () => attempt(() => delete localStorage[BEGUN]);
