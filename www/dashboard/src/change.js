// How a figure has changed since the previous period.

import { el } from "../../shared/dom.js";
import * as format from "./format.js";

/** The change as an element; null where there is none to tell. */
export function changeOf(current, before, { points, better, write, currency, period }) {
  if (!points && before === 0) return null;
  const difference = current - before;
  const amount = points ? format.pointChange(difference) : format.relativeChange(difference / before);
  const flat = amount === (points ? format.pointChange(0) : format.relativeChange(0));
  const direction = flat ? "flat" : difference > 0 ? "up" : "down";
  const mood = flat ? "even" : direction === better ? "good" : "bad";
  const span = period.days === 1 ? "the day before" : `the ${period.days} days before`;
  const title = `${write(before, currency)} in ${span}${period.running ? ", up to the same time" : ""}`;
  const arrow = { up: "↑", down: "↓", flat: "→" }[direction];
  const spoken = { up: "up by ", down: "down by ", flat: "unchanged, " }[direction];
  return el(
    "span",
    { class: `delta ${mood}`, title },
    el("span", { "aria-hidden": "true" }, `${arrow} `),
    el("span", { class: "visually-hidden" }, spoken),
    amount,
    el("span", { class: "visually-hidden" }, `: ${title}`),
  );
}
