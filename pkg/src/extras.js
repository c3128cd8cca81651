// The options `before`, `query` and `exclude`: this file is loaded only where one of them is given, and before anything
// is sent. Where `cookieNames` is given, it checks that.

import { asked } from "./extras/before.js";
import { wrongNames } from "./extras/names.js";
import { fitting } from "./extras/paths.js";
import { keeping } from "./extras/queries.js";

// A list, or as an attribute a text.
const list = (option) => (typeof option == "string" ? option.split(/\s+/).filter(Boolean) : option);

/** Whether the names of the cookies are right; one line says what is not. */
export const checkNames = (options) => {
  const wrong = wrongNames(options);
  if (wrong) options.complain("cookieNames: " + wrong);
  return !wrong;
};

/** Puts into the options what each fact passes (facts.js of the shell), and which pages are not counted. */
export default (options, waiting) => {
  const isExcluded = fitting(list(options.exclude || []));
  const reduced = options.query != undefined ? keeping(list(options.query)) : (href) => href;
  const referrerOf = ({ referrer }) =>
    referrer && !(new URL(referrer).origin == location.origin && isExcluded(referrer)) ? reduced(referrer) : undefined;

  options.shape = (kind, body) => {
    try {
      if (isExcluded(body.url)) return;
      const shaped = { ...body, url: reduced(body.url), referrer: referrerOf(body) };
      return options.before ? asked(options.before, kind, shaped) : shaped;
    } catch (error) {
      options.complain(error);
    }
  };
  options.excluded = () => isExcluded(location.href);

  // A page that is excluded is no first view.
  for (const call of waiting.splice(0)) {
    if (call.name != "page_view" || !isExcluded(call.given.url ?? call.href)) waiting.push(call);
  }
};
