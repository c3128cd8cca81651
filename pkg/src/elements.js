// Events that the page's elements declare: `data-visitflow-event="signup" data-visitflow-prop-plan="pro"` on what is
// clicked or submitted, `data-visitflow-view="pricing"` on what is seen.

const PROP = "data-visitflow-prop-";

const props = (element) => {
  const all = [...element.attributes].filter(({ name }) => name.startsWith(PROP));
  return all.length ? Object.fromEntries(all.map(({ name, value }) => [name.slice(PROP.length).replaceAll("-", "_"), value])) : undefined;
};

// Once for each element, when half of it, or of the window, is filled by it.
const watchViews = (event) => {
  const seen = new WeakSet();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, intersectionRatio, intersectionRect, rootBounds } of entries) {
        const fills = rootBounds && intersectionRect.height >= rootBounds.height / 2;
        if (seen.has(target) || !(intersectionRatio >= 0.5 || fills)) continue;
        seen.add(target);
        observer.unobserve(target);
        event(target.getAttribute("data-visitflow-view"), props(target));
      }
    },
    { threshold: Array.from({ length: 51 }, (_, percent) => percent / 100) },
  );
  const look = () => {
    for (const element of document.querySelectorAll("[data-visitflow-view]")) if (!seen.has(element)) observer.observe(element);
  };
  look();
  // What comes later; a page that is built piece by piece is looked at once.
  let due;
  const later = () => {
    due ??= setTimeout(() => {
      due = undefined;
      look();
    }, 200);
  };
  new MutationObserver(later).observe(document.documentElement, {
    attributeFilter: ["data-visitflow-view"],
    childList: true,
    subtree: true,
  });
};

/** Calls `event(name, props)` for what elements declare. `on(names, then)` listens in the whole page. */
export const watchElements = (on, event) => {
  const tell = (element) => element && event(element.getAttribute("data-visitflow-event"), props(element));
  on(["click", "auxclick"], (target, button) => {
    const element = button < 2 && target.closest?.("[data-visitflow-event]");
    if (element && element.localName != "form") tell(element);
  });
  on(["submit"], (form) => form.matches("[data-visitflow-event]") && tell(form));
  if (window.IntersectionObserver) watchViews(event);
};
