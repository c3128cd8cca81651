// The page: how far it is read, what it hears.

import { attempt } from "./attempt.js";
import { setConsent } from "./consent.js";
import { options } from "./options.js";

/** 32 random bits. */
export const random = () => crypto.getRandomValues(new Uint32Array(1))[0];

/** How far down the page the viewport reaches, in per cent. */
export const depth = () => Math.min(100, (100 * (scrollY + innerHeight)) / document.documentElement.scrollHeight || 0);

/** Whether the page is measured at all. */
export const isCounted = () => !options.excluded?.();

const detail = (answer, otherwise) => (typeof answer?.detail == "string" ? answer.detail : otherwise);

/** Says what is wrong, or what the answer says of it; the page hears of the first time only. */
export const complain = (text, answer) => {
  options.trace?.("complaint", detail(answer, text));
  options.complain(detail(answer, text));
};

/** Consent is denied by now, here or elsewhere. */
export const denied = () => setConsent("denied");

/** Settles a promise of the page: `(error)`, or `(undefined, value)`. */
export const settle = (promise, error, value) => {
  attempt(() => promise(error && detail(value, error), value));
};
