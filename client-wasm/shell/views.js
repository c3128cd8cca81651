// What the page tells, as facts.

import { told } from "./address.js";
import { attempt } from "./attempt.js";
import { make } from "./facts.js";
import { BODY_BYTES } from "./generated.js";
import { json } from "./json.js";
import { count, next } from "./numbers.js";
import { options } from "./options.js";
import { named } from "./visitor.js";

/** The page's title is that of the page that is left now, or (undefined) its own. */
export const leaveTitle = (title) => {
  options.stale = title;
};

// The first formatter of a page reads the language's tables, which takes its time. Temporal does not.
const timeZone = () => (self.Temporal ? Temporal.Now.timeZoneId() : Intl.DateTimeFormat().resolvedOptions().timeZone);

// Nothing of this identifies a person.
const device = () => {
  const hints = navigator.userAgentData;
  return {
    screen_width: screen.width,
    screen_height: screen.height,
    viewport_width: innerWidth,
    viewport_height: innerHeight,
    language: navigator.language,
    time_zone: attempt(timeZone),
    platform: hints?.platform,
    mobile: hints?.mobile,
    brands: hints?.brands?.map(({ brand, version }) => brand + " " + version).join(),
  };
};

/**
 * The view that a call of the page tells of, in full or without anything that tells visitors apart. A title is
 * told where it is that of this page. The call keeps the fact. (A form may go by this name. The server cuts what is long.)
 */
export const makeView = (call, full) => {
  const { at, href, given } = call;
  const url = told(given.url ?? href);
  const isHere = url == told(location.href);
  const title = document.title + "";
  const fact = (call.fact = make("page_view", at, {
    url,
    referrer: told(given.referrer ?? (options.seen == undefined ? document.referrer : options.seen != url ? options.seen : "")) || undefined,
    ...(full
      ? { title: (isHere && title != options.stale && title) || undefined, device: device() }
      : { anonymous: true }),
  }));
  if (fact) {
    if (full) {
      fact.visitor = named();
      fact.body.sequence = next();
    }
    options.seen = fact.body.url;
  }
  if (isHere) options.stale = title;
  return fact;
};

/**
 * The view that a call tells of. One that went ahead is taken over; it is none where the consent to that was taken
 * back since.
 */
export const view = (call, full) => {
  const { fact } = call;
  if (!fact) return makeView(call, full);
  if (!full || fact.visitor != named()) return;
  if (!fact.stored) count(fact.body.sequence);
  return fact;
};

/** The event or order that a call tells of, by the same id each time; none if the page drops it, or if it is too large to be sent. The server says what else is wrong with it. */
export const other = (call) => {
  const { name, at, href, given } = call;
  const fact = (call.fact ??= make(name, at, { url: told(href), ...given }));
  if (!fact || new Blob([json(fact.body)]).size < BODY_BYTES - 500) return fact;
  call.fact = undefined;
  options.complain("dropped: over 64 KiB");
};
