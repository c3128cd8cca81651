// Where there is no page (Node, workers): the same names, and nothing happens.

import { resting } from "./resting.js";

const nothing = () => {};
const settled = () => Promise.resolve();
const confirmed = (...given) => (given.at(-1)?.confirm ? settled() : undefined);

export const init = nothing;
export const grant = nothing;
export const deny = nothing;
export const pageView = nothing;
export const event = confirmed;
export const order = confirmed;
export const onConsentChange = () => nothing;
export const revoke = settled;
export const logout = settled;
export const end = settled;
export const flush = settled;
export const ignoreMe = settled;
export const login = () => Promise.resolve({ user_id: "" });
export const session = () => Promise.resolve(null);
export const sessions = () => Promise.resolve([]);
export const endSession = settled;
export const visitorData = () => Promise.resolve(null);
export const snapshot = () => Promise.resolve(resting());
