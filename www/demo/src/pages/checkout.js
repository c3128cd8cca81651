// /demo/checkout: how it should arrive, and the order itself. It asks for nothing that would
// name the buyer, since nothing will be sent.

import { el } from "../../../shared/dom.js";
import { cartCents, cartLines } from "../cart.js";
import { placeOrder } from "../orders.js";
import { price } from "../products.js";
import { emptyCartPage } from "./cart.js";

const DELIVERIES = [
  { id: "post", name: "By post", when: "in three to five days", cents: 0 },
  { id: "bicycle", name: "By bicycle", when: "tomorrow, in the valley", cents: 900 },
];

export function checkoutPage({ go }) {
  const lines = cartLines();
  if (lines.length === 0) return emptyCartPage("Checkout");
  const total = el("strong", {});
  let delivery = DELIVERIES[0];
  const choose = (next) => {
    delivery = next;
    total.textContent = price(cartCents() + delivery.cents);
  };
  const submit = (event) => {
    event.preventDefault();
    placeOrder(delivery.cents);
    go("/demo/thanks");
  };
  choose(delivery);
  return {
    title: "Checkout",
    content: el("form", { class: "narrow", on: { submit } },
      el("h1", {}, "Checkout"),
      el("ul", { class: "summary-lines" }, lines.map(({ product, quantity, cents }) =>
        el("li", {}, el("span", {}, `${quantity} × ${product.name}`), el("span", { class: "price" }, price(cents))))),
      el("fieldset", { class: "choices" }, el("legend", {}, "Delivery"), DELIVERIES.map((one) => choice(one, one === delivery, choose))),
      el("p", { class: "total" }, el("span", {}, "Total"), total),
      el("button", { class: "button primary wide", data: { testid: "place-order" } }, "Place the order"),
      el("p", { class: "quiet" }, "This is a demonstration: nothing is charged and nothing is sent, so nobody asks for your name.")),
  };
}

function choice(one, checked, choose) {
  return el("label", { class: "choice" },
    el("input", { type: "radio", name: "delivery", value: one.id, checked, on: { change: () => choose(one) } }),
    el("span", {}, el("strong", {}, one.name), el("span", { class: "quiet" }, one.when)),
    el("span", { class: "price" }, one.cents === 0 ? "free" : price(one.cents)));
}
