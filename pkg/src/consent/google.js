// Google Consent Mode: what the page tells gtag about `analytics_storage`, visitflow hears too.

/**
 * Grants and denies as the data layer says, from now on; `visitflow` has the functions to call.
 * Returns a function that ends it.
 */
export const googleConsent = (visitflow, { dataLayer = "dataLayer" } = {}) => {
  if (typeof window == "undefined") return () => {}; // rendered on a server
  const layer = (window[dataLayer] ??= []);
  let choice; // the newest
  let told;
  let timer;
  let updated; // an update outranks every default
  let regional; // somewhere the default is another, and only Google knows where the visitor is

  const tell = () => {
    if (!choice || choice == told) return;
    told = choice;
    if (choice == "granted") visitflow.grant();
    else visitflow.deny();
  };

  // An entry of gtag is an arguments object: ["consent", "default" or "update", {…}].
  const read = (entry) => {
    if (entry?.[0] != "consent") return;
    const { analytics_storage, region, wait_for_update } = entry[2] ?? {};
    if (!analytics_storage) return;
    clearTimeout(timer);
    timer = undefined;
    if (entry[1] == "update") {
      updated = true;
      choice = analytics_storage;
    } else if (!updated) {
      regional ||= region;
      // Denied by default is not decided yet: what the page tells may wait for the visitor.
      choice = regional || analytics_storage != "granted" ? undefined : "granted";
      // What comes in the same breath may be another region's.
      timer = setTimeout(tell, wait_for_update);
    }
  };

  const hear = (entries) => {
    try {
      for (const entry of entries) read(entry);
      if (!timer) tell();
    } catch {
      // What is no entry of gtag is none of our business.
    }
  };

  hear([...layer]);
  const { push } = layer;
  let over;
  layer.push = function (...entries) {
    const length = push.apply(this, entries);
    if (!over) hear(entries);
    return length;
  };
  return () => {
    over = true;
    clearTimeout(timer);
  };
};
