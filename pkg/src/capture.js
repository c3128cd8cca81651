// Links, forms and elements as events, where the option `capture` names them: "outbound", "downloads", "forms",
// "elements".
// Of an address neither query nor fragment is told, of a form nothing that was typed.

import { watchElements } from "./elements.js";

const FILES = /\.(pdf|docx?|xlsx?|pptx?|od[tsp]|csv|txt|rtf|zip|gz|tgz|bz2|xz|7z|rar|dmg|pkg|exe|msi|apk|deb|rpm|iso|epub|mp[34]|m4a|mov|avi|wav)$/i;

/** Calls `event(name, props)` for what `wanted` names. */
export const capture = (wanted, event) => {
  const on = (names, then) => {
    const told = ({ target, button }) => {
      try {
        then(target, button);
      } catch {
        // What has no address is no link.
      }
    };
    for (const name of names) addEventListener(name, told, { capture: true, passive: true });
  };
  const bare = (link) => link.origin + link.pathname;

  on(["click", "auxclick"], (target, button) => {
    const link = button < 2 && target.closest?.("a[href]");
    if (!link || !/^https?:$/.test(link.protocol)) return;
    if (/downloads/.test(wanted) && (link.hasAttribute("download") || FILES.test(link.pathname))) {
      event("file_download", { url: bare(link) });
    } else if (link.host != location.host && /outbound/.test(wanted)) event("outbound_link", { url: bare(link) });
  });
  if (/elements/.test(wanted)) watchElements(on, event);
  if (/forms/.test(wanted)) {
    on(["submit"], (form) => {
      const action = new URL(form.getAttribute("action") || location, location);
      if (!/^https?:$/.test(action.protocol)) return;
      // Not `form.id`: that is a field where one has this name.
      event("form_submit", { form: form.getAttribute("id") || form.getAttribute("name") || undefined, action: bare(action) });
    });
  }
};
