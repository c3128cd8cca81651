// The import for those who see to the WebAssembly themselves: `init({ wasm, … })` takes it. Nothing is
// fetched.

import core from "./core.js";
import { doors } from "./doors.js";

const { door, silent, confirmable, onConsentChange } = doors((options, facts) => {
  Promise.resolve(options.wasm).catch(() => {}); // it is awaited later
  return core(options.wasm, options, facts);
});

export const init = silent("init");
export const grant = silent("grant");
export const revoke = door("revoke");
export const deny = silent("deny");
export const pageView = silent("pageView");
export const event = confirmable("event");
export const order = confirmable("order");
export { onConsentChange };
export const login = door("login");
export const logout = door("logout");
export const end = door("end");
export const flush = door("flush");
export const ignoreMe = door("ignoreMe");
export const snapshot = door("snapshot");
export const session = door("session");
export const sessions = door("sessions");
export const endSession = door("endSession");
export const visitorData = door("visitorData");
