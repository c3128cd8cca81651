// /demo/products/<slug>: one thing, and the button that puts it into the cart.

import { el, replace } from "../../../shared/dom.js";
import { addToCart } from "../cart.js";
import { price } from "../products.js";
import { track } from "../tracking.js";

export function productPage({ slug, name, cents, art, text, details }) {
  const added = el("p", { class: "added", role: "status" });
  const add = () => {
    addToCart(slug);
    track("event", "add_to_cart", { sku: slug });
    replace(added, `${name} is in your cart. `, el("a", { href: "/demo/cart" }, "See the cart"));
  };
  return {
    title: name,
    content: el("article", { class: "product" },
      el("img", { src: art, alt: `Drawing: ${name}`, width: 400, height: 400 }),
      el("div", { class: "product-words" },
        el("a", { class: "back", href: "/demo" }, "← All goods"),
        el("h1", {}, name),
        el("p", { class: "price large" }, price(cents)),
        el("p", {}, text),
        el("ul", { class: "facts" }, details.map((detail) => el("li", {}, detail))),
        el("button", { type: "button", class: "button primary wide", data: { testid: "add-to-cart" }, on: { click: add } }, "Add to cart"),
        added)),
  };
}
