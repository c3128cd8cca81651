// The cart, in memory: it lives as long as the page.

import { findProduct } from "./products.js";

const quantities = new Map();
const listeners = new Set();

export function onCart(listener) {
  listeners.add(listener);
}

export function addToCart(slug) {
  setQuantity(slug, (quantities.get(slug) ?? 0) + 1);
}

export function setQuantity(slug, quantity) {
  if (quantity > 0) quantities.set(slug, quantity);
  else quantities.delete(slug);
  changed();
}

export function emptyCart() {
  quantities.clear();
  changed();
}

/** `[{ product, quantity, cents }]` in the order of adding. */
export function cartLines() {
  return [...quantities].map(([slug, quantity]) => {
    const product = findProduct(slug);
    return { product, quantity, cents: product.cents * quantity };
  });
}

export function cartCount() {
  return cartLines().reduce((sum, { quantity }) => sum + quantity, 0);
}

export function cartCents() {
  return cartLines().reduce((sum, { cents }) => sum + cents, 0);
}

function changed() {
  for (const listener of listeners) listener();
}
