// The bar at the top: the name, the way to the demo shop, sign out.

import { el, replace, svg } from "../../shared/dom.js";
import { shopLink } from "../../shared/hosts.js";

export function renderBar(bar, { signedIn, signOut }) {
  if (bar.dataset.signedIn === String(signedIn)) return;
  bar.dataset.signedIn = String(signedIn);
  replace(bar,
    el("div", { class: "bar-inner" },
      el("a", { class: "brand", href: "/dashboard" }, mark(), "visitflow"),
      el("nav", { "aria-label": "Account" },
        el("a", { class: "bar-link", href: shopLink() }, "Demo shop"),
        signedIn && el("button", {
          type: "button",
          class: "button small",
          data: { testid: "dash-sign-out" },
          on: { click: signOut },
        }, "Sign out"))));
}

function mark() {
  return svg("svg", { viewBox: "0 0 32 32", width: 26, height: 26, "aria-hidden": "true" },
    svg("rect", { width: 32, height: 32, rx: 8, class: "mark-ground" }),
    svg("path", { d: "M6 20c4 0 4-8 8-8s4 8 8 8 3-4 4-6", class: "mark-wave" }));
}
