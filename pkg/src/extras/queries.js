// The option `query`: which parameters of addresses are kept.

import { CLICK_IDS } from "../../../client-wasm/shell/generated.js";

const plain = (text) => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
};

/** Takes all parameters out of an address, and out of its route, but those of these names and what tells of a campaign. */
export const keeping = (names) => {
  const isKept = (parameter) => {
    const name = plain(parameter.replace(/=.*/, ""));
    return names.includes(name) || /^utm_/i.test(name) || CLICK_IDS.includes(name.toLowerCase());
  };
  return (href) =>
    href.replace(/\?([^#]*)/g, (_, query) => {
      const kept = query.split("&").filter(isKept);
      return kept.length ? "?" + kept.join("&") : "";
    });
};
