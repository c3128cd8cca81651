// Placing an order: the cart becomes an order with the shop's own number.

import { cartCents, cartLines, emptyCart } from "./cart.js";
import { CURRENCY, decimal } from "./products.js";
import { track } from "./tracking.js";

const NUMBER_BYTES = 5;
let last = null;

/** The order just placed, for the page that says thanks. */
export function lastOrder() {
  return last;
}

/** Places the cart as an order; `shipping` is in cents. */
export function placeOrder(shipping) {
  const lines = cartLines();
  const cents = cartCents() + shipping;
  last = { id: orderNumber(), cents };
  track("order", {
    id: last.id,
    amount: decimal(cents),
    currency: CURRENCY,
    items: lines.map(({ product, quantity }) => ({
      sku: product.slug,
      name: product.name,
      quantity,
      price: decimal(product.cents),
    })),
  });
  emptyCart();
  return last;
}

function orderNumber() {
  const bytes = crypto.getRandomValues(new Uint8Array(NUMBER_BYTES));
  return `LL-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("").toUpperCase()}`;
}
