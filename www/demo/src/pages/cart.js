// /demo/cart: what was chosen.

import { el, replace } from "../../../shared/dom.js";
import { addToCart, cartCents, cartLines, setQuantity } from "../cart.js";
import { price } from "../products.js";
import { track } from "../tracking.js";

export function cartPage() {
  const root = el("div", { class: "narrow" });
  const draw = () => replace(root, cartLines().length === 0 ? nothing("Your cart") : contents(change));
  const change = (act, slug, way) => {
    act();
    draw();
    // The button was drawn anew, or its line is gone: the keyboard stays where it was.
    const again = root.querySelector(`[data-slug="${slug}"][data-way="${way}"]`) ?? root.querySelector("h1");
    if (again.tagName === "H1") again.tabIndex = -1;
    again.focus();
  };
  draw();
  return { title: "Your cart", content: root };
}

/** Cart and checkout without anything in them. */
export function emptyCartPage(title) {
  return { title, content: el("div", { class: "narrow" }, nothing(title)) };
}

function nothing(title) {
  return [
    el("h1", {}, title),
    el("p", {}, "There is nothing in it yet."),
    el("p", {}, el("a", { class: "button", href: "/demo" }, "Look around")),
  ];
}

function contents(change) {
  return [
    el("h1", {}, "Your cart"),
    el("ul", { class: "lines" }, cartLines().map((line) => lineOf(line, change))),
    el("p", { class: "total" }, el("span", {}, "Total"), el("strong", {}, price(cartCents()))),
    el("a", { class: "button primary wide", href: "/demo/checkout", data: { testid: "checkout" } }, "Go to checkout"),
  ];
}

function lineOf({ product, quantity, cents }, change) {
  const { slug, name, art } = product;
  const less = () => {
    setQuantity(slug, quantity - 1);
    track("event", "remove_from_cart", { sku: slug });
  };
  const more = () => {
    addToCart(slug);
    track("event", "add_to_cart", { sku: slug });
  };
  const step = (way, sign, label, act) =>
    el("button", { type: "button", "aria-label": label, data: { slug, way }, on: { click: () => change(act, slug, way) } }, sign);
  return el("li", { class: "line" },
    el("img", { src: art, alt: "", width: 80, height: 80 }),
    el("a", { href: `/demo/products/${slug}` }, name),
    el("div", { class: "stepper", role: "group", "aria-label": `Quantity of ${name}` },
      step("less", "−", `One ${name} less`, less),
      el("span", { "aria-live": "polite" }, String(quantity)),
      step("more", "+", `One ${name} more`, more)),
    el("span", { class: "price" }, price(cents)));
}
