// What the imports share: the functions exist at once, and a call before init() waits for it.

import { create } from "./client.js";
import * as nothing from "./node.js";
import { resting } from "./resting.js";

const FILES = { "debug-": () => import("./debug.js"), "session-": () => import("./session.js") };

/** The functions, of a client that `core` starts when init() is called; where there is no page, no-ops. */
export const doors = (core) => {
  const load = (what, ...all) => (what ? FILES[what]().then((file) => file.default(...all)) : core(...all));
  let client;
  const early = []; // calls before init()
  const door = (name) => (...args) => {
    if (typeof document == "undefined") return nothing[name](...args);
    if (client) return client[name](...args);
    if (name == "snapshot") return Promise.resolve(resting());
    if (name != "init") return new Promise((resolve) => early.push(() => resolve(client[name](...args))));
    client = create(load, "/");
    client.init(...args);
    for (const run of early) run();
  };
  // What returns nothing by its type returns nothing.
  const silent = (name) => (...args) => void door(name)(...args);
  // A promise where the page wants it confirmed.
  const confirmable = (name) => (...args) => {
    const answer = door(name)(...args);
    return args.at(-1)?.confirm ? answer : undefined;
  };
  // Answers at once, also before init().
  const onConsentChange = (listener) => {
    let ended;
    const end = door("onConsentChange")((consent) => ended || listener(consent));
    return () => {
      ended = true;
      // Before init() it is a promise.
      Promise.resolve(end).then((end) => end());
    };
  };
  return { door, silent, confirmable, onConsentChange };
};
