// IAB Transparency and Consent Framework, version 2: what the visitor told the site's consent manager.

/** Store and access information on a device; measure content performance. */
const PURPOSES = [1, 8];

/** Events of the framework that carry a decision: one of before, and one of now. */
const DECIDED = ["tcloaded", "useractioncomplete"];

/**
 * Grants and denies as the consent manager says, from now on; `visitflow` has the functions to call.
 * Where the GDPR does not apply, `outside` is the decision. Returns a function that ends it.
 */
export const tcfConsent = (visitflow, { purposes = PURPOSES, vendor, outside = "pending" } = {}) => {
  if (typeof window == "undefined") return () => {}; // rendered on a server
  let over;
  let id;

  const hear = (data, success) => {
    if (over || !success || !data) return;
    id = data.listenerId;
    let choice = outside;
    if (data.gdprApplies !== false) {
      if (!DECIDED.includes(data.eventStatus)) return;
      const agreed = purposes.every((purpose) => data.purpose?.consents?.[purpose]);
      choice = agreed && (!vendor || data.vendor?.consents?.[vendor]) ? "granted" : "denied";
    }
    if (choice == "granted") visitflow.grant();
    if (choice == "denied") visitflow.deny();
  };

  // The consent manager's stub may come after us: it is looked for during ten minutes.
  let looks = 600;
  const listen = () => {
    if (over) return;
    if (window.__tcfapi) window.__tcfapi("addEventListener", 2, hear);
    else if (looks--) setTimeout(listen, 1000);
  };
  listen();
  return () => {
    over = true;
    if (id != undefined) window.__tcfapi?.("removeEventListener", 2, () => {}, id);
  };
};
