// The import: for bundlers and for browsers as it is. Importing reads no globals; the first call
// finds out whether there is a page.

import { create } from "./client.js";
import * as nothing from "./node.js";

const load = async () => {
  const core = await import("./core.js");
  await core.default();
  return core;
};

let client;
const door = (name) => (...args) => {
  client ??= typeof document == "undefined" ? nothing : create(load, () => location.origin);
  return client[name](...args);
};

export const init = door("init");
export const grant = door("grant");
export const revoke = door("revoke");
export const deny = door("deny");
export const pageView = door("pageView");
export const event = door("event");
export const order = door("order");
export const login = door("login");
export const logout = door("logout");
export const end = door("end");
export const snapshot = door("snapshot");
