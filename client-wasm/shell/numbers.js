// The number of a view in its visit, as this browser counts: across tabs and pages, in localStorage, with consent.

import { attempt } from "./attempt.js";
import { isGranted } from "./consent.js";

const VIEWS = "visitflow.views";
const BEGUN = "visitflow.begun";

let views = 0; // of this visit, where nothing is stored
let ahead; // of a visit that began on this page ahead of the WebAssembly, as long as storage does not know

/** Notes how many views the visit has. */
export const count = (number) => {
  views = number;
  attempt(() => (localStorage[VIEWS] = views));
  return views;
};

/** A visit begins. The browser's storage takes its time at first: it is not asked while the page loads. */
export const countAhead = () => {
  ahead = 0;
};

/** The number of the next view. */
export const next = () =>
  ahead == undefined ? count((+attempt(() => localStorage[VIEWS]) || views) + 1) : ++ahead;

/** The visitor is forgotten. */
export const uncount = () => {
  ahead = undefined;
  views = 0;
  attempt(() => {
    delete localStorage[VIEWS];
    delete localStorage[BEGUN];
  });
};

/** Now storage may be asked: with consent it knows of a visit that began ahead, and whether the server `knows`. */
export const storeAhead = (knows) => {
  if (ahead && isGranted()) {
    count(ahead);
    if (knows) attempt(() => (localStorage[BEGUN] = 1));
  }
  ahead = undefined;
};

/** Whether the visit was begun by a view that went ahead, perhaps on an earlier page. */
export const wasBegun = () => attempt(() => localStorage[BEGUN]);

/** A start was answered: the visit is one like others. */
export const settleBegun = () => attempt(() => delete localStorage[BEGUN]);
