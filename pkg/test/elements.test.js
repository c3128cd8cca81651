// Events that elements declare: src/elements.js, in a page made of stand-ins.

import assert from "node:assert/strict";
import { test } from "node:test";
import { watchElements } from "../src/elements.js";

/** An element with these attributes, within another. */
const element = (localName, attributes, parent) => ({
  localName,
  attributes: Object.entries(attributes).map(([name, value]) => ({ name, value })),
  getAttribute: (name) => attributes[name] ?? null,
  matches: () => "data-visitflow-event" in attributes,
  closest() {
    return this.matches() ? this : parent?.closest();
  },
});

/** A page with these elements to be seen. */
function page(sections = []) {
  const told = [];
  const listeners = {};
  let see, changed;
  const observed = new Set();
  const stand = (name, value) => Object.defineProperty(globalThis, name, { configurable: true, value });
  stand("window", globalThis);
  stand("document", { documentElement: {}, querySelectorAll: () => sections });
  stand("IntersectionObserver", class {
    constructor(then) {
      see = then;
    }
    observe = (target) => observed.add(target);
    unobserve = (target) => observed.delete(target);
  });
  stand("MutationObserver", class {
    constructor(then) {
      changed = then;
    }
    observe() {}
  });
  watchElements((names, then) => names.forEach((name) => (listeners[name] = then)), (...event) => told.push(event));
  return {
    told, observed,
    click: (target, button = 0) => listeners[button ? "auxclick" : "click"](target, button),
    submit: (form) => listeners.submit(form),
    grow: (section) => (sections.push(section), changed()),
    see: (target, intersectionRatio, height = 100) =>
      see([{ target, intersectionRatio, intersectionRect: { height }, rootBounds: { height: 1000 } }]),
  };
}

test("a click on an element, or on what is in it, is the event that it declares", () => {
  const { click, told } = page();
  const button = element("button", { "data-visitflow-event": "signup", "data-visitflow-prop-plan": "pro", "data-visitflow-prop-from-page": "home" });
  click(element("b", {}, button));
  click(element("a", { "data-visitflow-event": "plain" }), 1);
  click(element("a", { "data-visitflow-event": "menu" }), 2);
  click(element("p", {}));
  assert.deepEqual(told, [["signup", { plan: "pro", from_page: "home" }], ["plain", undefined]]);
});

test("a form tells when it is submitted, not when it is clicked", () => {
  const { click, submit, told } = page();
  const form = element("form", { "data-visitflow-event": "subscribe" });
  click(element("input", {}, form));
  submit(form);
  submit(element("form", {}));
  assert.deepEqual(told, [["subscribe", undefined]]);
});

test("a section is seen once, when half of it is, or half of the window is filled", () => {
  const section = element("section", { "data-visitflow-view": "pricing", "data-visitflow-prop-plan": "pro" });
  const long = element("section", { "data-visitflow-view": "terms" });
  const { observed, see, told } = page([section, long]);
  see(section, 0.3);
  assert.deepEqual(told, []);
  see(section, 0.5);
  see(section, 0.9);
  see(long, 0.1, 600);
  assert.deepEqual(told, [["pricing", { plan: "pro" }], ["terms", undefined]]);
  assert.equal(observed.size, 0);
});

test("a section that comes later is seen, too", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { grow, observed, see, told } = page();
  const section = element("section", { "data-visitflow-view": "late" });
  grow(section);
  t.mock.timers.tick(200);
  assert.ok(observed.has(section));
  see(section, 1);
  grow(element("p", {}));
  t.mock.timers.tick(200);
  assert.equal(observed.has(section), false, "not again");
  assert.deepEqual(told, [["late", undefined]]);
});
