// What surrounds each page: the header with account and cart, and the footer.

import { el, replace, svg } from "../../shared/dom.js";
import { dashboardLink } from "../../shared/hosts.js";
import { isSignedIn, onAccount, signOut } from "./account.js";
import { cartCount, onCart } from "./cart.js";

export function createHeader(header) {
  const draw = () => replace(header, el("div", { class: "top-inner" },
    el("a", { class: "brand", href: "/demo" }, mark(), "Larch & Loom"),
    el("nav", { "aria-label": "Account and cart" }, account(), cart())));
  onAccount(draw);
  onCart(draw);
  draw();
}

export function createFooter(footer, changeMind) {
  replace(footer, el("div", { class: "foot-inner" },
    el("p", {}, "A demonstration shop for visitflow. Nothing here is for sale."),
    el("nav", { "aria-label": "Privacy and figures" },
      el("button", {
        type: "button",
        class: "link-button",
        data: { testid: "consent-change" },
        on: { click: changeMind },
      }, "Privacy settings"),
      el("a", { href: "/your-data", data: { testid: "your-data" } }, "Your data"),
      el("a", { href: dashboardLink() }, "Dashboard"))));
}

function account() {
  if (!isSignedIn()) return el("a", { class: "top-link", href: "/demo/account", data: { testid: "sign-in-open" } }, "Sign in");
  const button = el("button", { type: "button", class: "link-button", data: { testid: "sign-out" } }, "Sign out");
  button.addEventListener("click", () => signOut().catch(() => replace(button, "Sign out: try again")));
  return [el("a", { class: "top-link user", href: "/demo/account", data: { testid: "signed-in" } }, "Your account"), button];
}

function cart() {
  const count = cartCount();
  return el("a", { class: "top-link cart", href: "/demo/cart", data: { testid: "open-cart" } },
    "Cart",
    el("span", { class: "badge", "aria-hidden": "true", hidden: count === 0 }, String(count)),
    el("span", { class: "visually-hidden" }, count === 0 ? "(empty)" : `(${count})`));
}

function mark() {
  return svg("svg", { viewBox: "0 0 32 32", width: 28, height: 28, "aria-hidden": "true" },
    svg("circle", { cx: 16, cy: 16, r: 16, class: "mark-ground" }),
    svg("path", { d: "M16 5l6 9h-3l5 8H8l5-8h-3zM15 22h2v5h-2z", class: "mark-tree" }));
}
