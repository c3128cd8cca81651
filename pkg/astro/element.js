// The element of Consent.astro: shown while the decision is one of `data-when`. Buttons in it say what they do:
// `data-consent="grant"`, `"deny"` or `"revoke"`.

import { consent, deny, grant, revoke } from "./client.js";

const act = { grant, deny, revoke };

class Consent extends HTMLElement {
  #end;

  constructor() {
    super();
    this.addEventListener("click", ({ target }) => act[target.closest("[data-consent]")?.dataset.consent]?.());
  }

  connectedCallback() {
    const when = this.dataset.when.split(" ");
    this.#end = consent.subscribe((decision) => (this.hidden = !when.includes(decision)));
  }

  disconnectedCallback() {
    this.#end();
  }
}

// A page that comes by a view transition may run the script again.
if (!customElements.get("visitflow-consent")) customElements.define("visitflow-consent", Consent);
