// Addresses as elements. Each part between two slashes or dots has a direction of its own, so that
// parts that are written from right to left do not change places with each other.

import { el } from "../../../shared/dom.js";
import { readableHost } from "./host.js";
import { readablePath } from "./path.js";

/** A path, as nodes. */
export function pathNodes(path) {
  return isolated(readablePath(path), "/");
}

/** A host, as nodes. */
export function hostNodes(host) {
  return isolated(readableHost(host), ".");
}

/** Scripts that are written from right to left. */
const RIGHT_TO_LEFT = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;

/** A host as text, for a place that takes no elements: a mark on each side of a dot keeps the order. */
export function hostText(host) {
  const readable = readableHost(host);
  return RIGHT_TO_LEFT.test(readable) ? readable.replaceAll(".", "\u200E.\u200E") : readable;
}

function isolated(text, separator) {
  return text.split(separator).flatMap((part, index) => [index > 0 && separator, part && el("bdi", {}, part)]).filter(Boolean);
}
