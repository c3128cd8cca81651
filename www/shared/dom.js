// Small helpers to make elements. Text is always a text node, never markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element: `el("a", { class: "link", href: "/demo", on: { click } }, "Shop")`.
 * `on` holds listeners, `data` dataset entries, `true` an attribute without a value; `null`,
 * `undefined` and `false` leave an attribute or a child out.
 *
 * Invariant: no `style` attribute and no markup strings; the pages' CSP refuses the first, and
 * the second would turn data into code.
 */
export function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** As `el`, for SVG. */
export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Replaces all children of `parent`. */
export function replace(parent, ...children) {
  parent.replaceChildren(...nodes(children));
  return parent;
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    } else if (name === "data") {
      Object.assign(element.dataset, value);
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...nodes(children));
  return element;
}

function nodes(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}
