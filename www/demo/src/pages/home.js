// /demo: everything the shop has.

import { el } from "../../../shared/dom.js";
import hero from "../../art/hero.svg";
import { PRODUCTS, price } from "../products.js";

export function homePage() {
  return {
    title: null,
    content: [
      el("section", { class: "hero" },
        el("div", { class: "hero-words" },
          el("h1", {}, "Things that get better with use."),
          el("p", {}, "Wood, wool, willow and clay, made by people who sign the underside."),
          el("a", { class: "button primary", href: "/demo/products/larch-stool" }, "Start with a stool")),
        el("img", { class: "hero-art", src: hero, alt: "", width: 720, height: 480 })),
      el("h2", { class: "section-title" }, "The collection"),
      el("ul", { class: "grid" }, PRODUCTS.map(card)),
    ],
  };
}

function card({ slug, name, cents, art, line }) {
  return el("li", {},
    el("a", { class: "card", href: `/demo/products/${slug}`, data: { testid: `product-${slug}` } },
      el("img", { src: art, alt: "", width: 400, height: 400, decoding: "async" }),
      el("span", { class: "card-row" }, el("strong", {}, name), el("span", { class: "price" }, price(cents))),
      el("span", { class: "quiet" }, line)));
}
