// The custom element of Consent.astro. It is visible while the decision is one of `data-when`. A button in it with
// `data-consent="grant"`, `"deny"` or `"revoke"` calls that function.

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

// After a view transition the script may run again.
if (!customElements.get("visitflow-consent")) customElements.define("visitflow-consent", Consent);
