// /demo/thanks: the order's number, and whether it was counted.

import { el } from "../../../shared/dom.js";
import { dashboardLink } from "../../../shared/hosts.js";
import { consent } from "../consent.js";
import { lastOrder } from "../orders.js";
import { price } from "../products.js";
import { client } from "../tracking.js";

export function thanksPage() {
  const order = lastOrder();
  if (order === null) {
    return {
      title: "Your order",
      content: el("div", { class: "narrow" }, el("h1", {}, "No order yet"),
        el("p", {}, el("a", { class: "button", href: "/demo" }, "Look around"))),
    };
  }
  return {
    title: "Thank you",
    content: el("div", { class: "narrow", data: { testid: "order-done" } },
      el("h1", {}, "Thank you."),
      el("p", {}, "Your order ", el("strong", {}, order.id), " over ", el("strong", {}, price(order.cents)), " is with us."),
      el("p", {}, countedOrNot()),
      el("p", {}, el("a", { class: "button", href: "/demo" }, "Back to the shop"))),
  };
}

function countedOrNot() {
  if (consent() !== "granted") return "You did not allow statistics, so nobody counted it.";
  // Global Privacy Control, or a blocker that kept the script away.
  if (navigator.globalPrivacyControl || client() === null) return "Your browser keeps visitflow away, so nobody counted it.";
  return ["You allowed statistics, so it counts on the ", el("a", { href: dashboardLink() }, "dashboard"), "."];
}
