// Any other address below /demo.

import { el } from "../../../shared/dom.js";

export function missingPage() {
  return {
    title: "Not here",
    content: el("div", { class: "narrow" },
      el("h1", {}, "We do not have that"),
      el("p", {}, "Perhaps it was sold, or it never was."),
      el("p", {}, el("a", { class: "button", href: "/demo" }, "All goods"))),
  };
}
