// What the imports share: the functions exist at once, and a call before init() waits for it.

import { create } from "./client.js";
import * as nothing from "./node.js";
import { resting } from "./resting.js";

const explain = (options) => import("./debug.js").then((debug) => debug.explain(options), () => {});

/** The functions, of a client that `load` makes when init() is called; where there is no page, no-ops. */
export const doors = (load) => {
  let client;
  const early = []; // calls before init()
  const door = (name) => (...args) => {
    if (typeof document == "undefined") return nothing[name](...args);
    if (client) return client[name](...args);
    if (name == "snapshot") return Promise.resolve(resting());
    if (name != "init") return new Promise((resolve) => early.push(() => resolve(client[name](...args))));
    client = create(() => load(args[0]), "/", explain);
    client.init(...args);
    for (const run of early) run();
  };
  // What returns nothing by its type returns nothing.
  const silent = (name) => (...args) => void door(name)(...args);
  return { door, silent };
};
