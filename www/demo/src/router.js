// Client-side routes under /demo with the History API.

import { replace } from "../../shared/dom.js";

const SHOP = "Larch & Loom";

/**
 * Starts routing. `resolve(path)` gives a page: `{ title, content }`. Links within /demo are
 * taken over; everything else is left to the browser.
 */
export function startRouter(main, resolve) {
  const render = ({ focus }) => {
    const { title, content } = resolve(location.pathname);
    document.title = title ? `${title} · ${SHOP}` : SHOP;
    replace(main, content);
    if (focus) focusHeading(main);
  };
  const go = (path) => {
    if (path !== location.pathname) history.pushState(null, "", path);
    scrollTo(0, 0);
    render({ focus: true });
  };
  document.addEventListener("click", (event) => {
    const path = routeOf(event);
    if (path === null) return;
    event.preventDefault();
    go(path);
  });
  addEventListener("popstate", () => render({ focus: true }));
  render({ focus: false });
  return { go, refresh: () => render({ focus: false }) };
}

/** The path of a plain click on a link of the shop, else null. */
function routeOf(event) {
  if (event.defaultPrevented || event.button !== 0) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = event.target.closest?.("a[href]");
  if (!link || link.target || link.origin !== location.origin || link.hash) return null;
  const inShop = link.pathname === "/demo" || link.pathname.startsWith("/demo/");
  return inShop ? link.pathname : null;
}

/** A screen reader hears the new page, as after a load. */
function focusHeading(main) {
  const heading = main.querySelector("h1");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}
