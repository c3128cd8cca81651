// What the shop sells. Prices are in euro cents: sums of whole numbers stay exact.

import basket from "../art/basket.svg";
import board from "../art/board.svg";
import candles from "../art/candles.svg";
import clock from "../art/clock.svg";
import lamp from "../art/lamp.svg";
import mug from "../art/mug.svg";
import stool from "../art/stool.svg";
import throwArt from "../art/throw.svg";

export const CURRENCY = "EUR";

export const PRODUCTS = [
  product("larch-stool", "Larch Stool", 8900, stool, "Three legs, no wobble.",
    "Solid larch with wedged joints and a seat that is slightly hollowed by hand. Stands level on floors that are not.",
    ["Larch from one valley", "45 cm high", "Oiled, not varnished"]),
  product("field-throw", "Field Throw", 12900, throwArt, "A blanket with the weight of an evening.",
    "Woven from undyed and walnut-dyed wool in a broken twill. Warm without being heavy, and softer each winter.",
    ["Pure new wool", "140 × 200 cm", "Airs clean overnight"]),
  product("stoneware-mug", "Stoneware Mug", 2400, mug, "Holds tea, and the morning.",
    "Thrown on the wheel and glazed in speckled oat. The handle takes three fingers; the rim is thin where it counts.",
    ["0.35 l", "Dishwasher and oven safe", "No two alike"]),
  product("paper-lamp", "Paper Lamp", 14800, lamp, "Light the colour of late afternoon.",
    "Hand-laid paper over a larch frame. It gives a room one calm centre, and folds flat for the next house.",
    ["E27, LED up to 9 W", "2.5 m linen cord", "38 cm wide"]),
  product("willow-basket", "Willow Basket", 5800, basket, "For bread, wool, or a cat.",
    "Woven from white and steamed willow with a rim that will outlive the floor it stands on.",
    ["Unpeeled handles", "34 cm wide", "Carries 12 kg"]),
  product("evening-candles", "Evening Candles", 1800, candles, "A pair that burns quietly.",
    "Dipped beeswax, one thin layer at a time. They burn for eight hours and smell of nothing but honey.",
    ["Pair, 25 cm", "Cotton wick", "Beeswax alone"]),
  product("oak-board", "Oak Board", 4600, board, "Cut, carry, serve.",
    "One piece of oak, quarter-sawn so that it stays flat. The hole is for the hook, the groove is for the tomato.",
    ["42 × 22 cm", "Linseed oil", "Sand and oil once a year"]),
  product("hour-clock", "Hour Clock", 7200, clock, "For days without minutes.",
    "A clock with one hand. You will know that it is about a quarter past three, and that is mostly enough.",
    ["Silent movement", "28 cm", "Ash and brass"]),
];

export function findProduct(slug) {
  return PRODUCTS.find((product) => product.slug === slug) ?? null;
}

/** Cents as the visitor's locale writes euros. */
export function price(cents) {
  return new Intl.NumberFormat(undefined, { style: "currency", currency: CURRENCY }).format(cents / 100);
}

/** Cents as the decimal string that an order's `amount` is: `4950` is `"49.50"`. */
export function decimal(cents) {
  return `${Math.trunc(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
}

function product(slug, name, cents, art, line, text, details) {
  return { slug, name, cents, art, line, text, details };
}
