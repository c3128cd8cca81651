// The consent banner: both answers are equally easy, and neither is preselected.

import { el, replace } from "../../shared/dom.js";
import { consent, decide, onConsent } from "./consent.js";

const TERMS =
  "With your consent visitflow keeps a random visitor number in a cookie and counts the pages " +
  "you see. Until you decide, nothing is kept and nothing is sent; if you decline, only your " +
  "answer is kept.";

/** Makes the banner in `parent`; gives the function that opens it again. */
export function createBanner(parent) {
  let opener = null;
  const close = () => {
    replace(parent);
    opener?.focus();
    opener = null;
  };
  const open = (event) => {
    opener = event?.currentTarget ?? null;
    const accept = button("Accept", "consent-accept", () => decide("granted"));
    const decline = button("Decline", "consent-decline", () => decide("denied"));
    replace(parent, el("section", { class: "banner", "aria-labelledby": "banner-title" },
      el("div", {},
        el("h2", { id: "banner-title" }, "May we count your visit?"),
        el("p", {}, TERMS),
        standing()),
      el("div", { class: "banner-actions" }, decline, accept)));
    if (opener) decline.focus();
  };
  onConsent(close);
  if (consent() === null) open();
  return open;
}

function button(label, testid, click) {
  return el("button", { type: "button", class: "button", data: { testid }, on: { click } }, label);
}

function standing() {
  const now = { granted: "You have accepted.", denied: "You have declined." }[consent()];
  return now ? el("p", { class: "quiet" }, now) : null;
}
