// The same Rust as JavaScript, for browsers that run no WebAssembly.

import { initSync } from "glue";
import wired from "./wired.js";

export default async (options, waiting) => {
  initSync();
  return wired.shown(waiting);
};
