// The page: how far it is read, what it hears.

import { attempt } from "./attempt.js";
import { isIgnored, setConsent } from "./consent.js";
import { options } from "./options.js";

/** 32 random bits. */
export const random = () => crypto.getRandomValues(new Uint32Array(1))[0];

/** How far down the page the viewport reaches, in per cent. */
export const depth = () => Math.min(100, (100 * (scrollY + innerHeight)) / document.documentElement.scrollHeight || 0);

/** Whether the page is measured at all; where it has a word about that, once it has let something pass. */
export const isCounted = () => !options.excluded?.() && (!options.shape || !!options.passed);

const detail = (answer, otherwise) => (typeof answer?.detail == "string" ? answer.detail : otherwise);

/** Says what is wrong, or what the answer says of it; the page hears of the first time only. */
export const complain = (text, answer) => {
  options.trace?.("complaint", detail(answer, text));
  options.complain(detail(answer, text));
};

/** Consent is denied by now, here or elsewhere: who consents later sees the page anew. */
export const denied = () => {
  options.anew = true;
  if (!isIgnored()) setConsent("denied");
};

/** Settles a promise of the page: `(error)`, or `(undefined, value)`. */
export const settle = (promise, error, value) => {
  attempt(() => promise(error && detail(value, error), value));
};
