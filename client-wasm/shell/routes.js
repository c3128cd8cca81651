// Where the visitor is, and which change of the address is a view of its own: one that goes to another address, or,
// where the page replaces its address, to another path; and that stands for a moment. By then a router has set the
// title.

import { reported } from "./address.js";
import { options } from "./options.js";
import { leaveTitle } from "./views.js";

/** How long an address stands before it is a view, in ms. */
const MOMENT_MS = 300;

let entry; // the reported address of the page as it was first
let current = ""; // that of the last view by a route
let latest = ""; // the newest, which may not have stood for its moment
let pending; // a route that has not stood for its moment: {at, isNew, timer}
let tell; // takes the call that tells of a view; none where the page does that itself

const path = (url) => url.replace(/\?[^#]*/g, "");

const isOther = (url, before, isNew) => (isNew ? url != before : path(url) != path(before));

const tellHere = (at) => tell?.({ name: "page_view", at, href: location.href, given: {} });

/** The address of the first page. */
export const entryAddress = () => entry;

/** The visitor has come to a page of which a view tells. */
export const arriveAt = (href) => {
  current = latest = reported(href);
};

/** Lands on the first page. */
export const land = (href) => {
  options.landed ??= history.length;
  arriveAt(href);
  entry = current;
};

// The address has stood for long enough.
const stand = (at, isNew) => {
  const before = current;
  arriveAt(location.href);
  if (isOther(current, before, isNew)) tellHere(at);
};

/** The page may be another by now than the one that it landed on; a new one, if the history has grown. */
export const catchUp = (then, isNew = history.length != options.landed) => {
  tell = then;
  stand(Date.now(), isNew);
};

/** The page that the visitor is at is one of which no view has told. */
export const seeAnew = () => {
  leaveTitle();
  current = "";
};

/** A route that has not stood for its moment counts at once: the page is left. */
export const standAtOnce = () => {
  if (!pending) return;
  const { at, isNew, timer } = pending;
  clearTimeout(timer);
  pending = undefined;
  stand(at, isNew);
};

const route = (isNew) => {
  const url = reported(location.href);
  let at = pending?.at;
  if (isOther(url, latest, isNew)) {
    leaveTitle(document.title);
    at = Date.now();
  }
  latest = url;
  clearTimeout(pending?.timer);
  pending = { at: at ?? Date.now(), isNew: isNew || pending?.isNew, timer: setTimeout(standAtOnce, MOMENT_MS) };
};

// Hears of each call of a function of the history.
const wrap = (name, isNew, signal) => {
  const original = history[name];
  const wrapper = (history[name] = function (...args) {
    try {
      return original.apply(this, args);
    } finally {
      // The page's own wrapper may throw once the address has moved.
      if (!signal.aborted) route(isNew);
    }
  });
  signal.addEventListener("abort", () => {
    // Where somebody wrapped the wrapper, it has to go on answering.
    if (history[name] != wrapper) return;
    delete history[name];
    if (history[name] != original) history[name] = original;
  });
};

/** Tells `then` of each view until the signal. */
export const watchRoutes = (then, signal) => {
  tell = then;
  const on = (target, name, run) => target.addEventListener(name, run, { capture: true, signal });
  if (window.navigation) {
    on(navigation, "currententrychange", ({ navigationType }) => navigationType && route(navigationType != "replace"));
  } else {
    for (const name of ["popstate", "hashchange"]) on(window, name, () => route(true));
    wrap("pushState", true, signal);
    wrap("replaceState", false, signal);
  }
  on(window, "pageshow", ({ persisted }) => {
    if (!persisted) return;
    leaveTitle();
    tellHere(Date.now());
  });
  on(window, "pagehide", standAtOnce);
  on(window, "visibilitychange", () => document.hidden && standAtOnce());
  signal.addEventListener("abort", () => {
    clearTimeout(pending?.timer);
    pending = undefined;
  });
};
