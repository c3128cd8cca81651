// The session's own requests.

import { deleteActivity, isLive } from "./activity.js";
import { told } from "./address.js";
import { isGranted } from "./consent.js";
import { send } from "./exchange.js";
import { SESSION_PING, SESSION_START } from "./generated.js";
import { json } from "./json.js";
import { count, settleBegun, storeAhead, wasBegun } from "./numbers.js";
import { options } from "./options.js";
import { beacon } from "./requests.js";
import { entryAddress } from "./routes.js";
import { erasable, isNamed, named } from "./visitor.js";

let begun; // the visit, by a view that went ahead; until a start is answered

/** Rust takes over. It is to ask for a start: that renews the visitor's cookie, and tells whether this browser is counted. */
export const takeOver = (knows) => {
  storeAhead(knows);
  begun = isGranted() && isLive() && wasBegun();
  if (begun) deleteActivity();
};

/** Whether the session that Rust asks for is alive already. */
export const isBegun = () => !!begun;

/** Numbers views from one; on from there where the start is that of a visit that was begun ahead. */
export const countAnew = () => {
  if (!begun) count(0);
};

const webdriver = () => navigator.webdriver || undefined;

/**
 * Asks for a session; the first time it tells of the page that the visitor came to. Without addresses where those
 * were refused, or where the page changes them: then the first view tells of them.
 */
export const postStart = async (ticket, first, bare) => {
  const { status } = await send(ticket, SESSION_START, {
    visitor_id: named(),
    ...(!(bare || options.shape) && {
      url: first ? entryAddress() : told(location.href),
      referrer: (first && told(document.referrer)) || undefined,
    }),
    site: options.site,
    cookies: isNamed() ? undefined : 0,
    webdriver: webdriver(),
  });
  if (status != 200) return;
  begun = undefined;
  settleBegun();
};

const engagement = (view, engaged_ms, scroll_pct) => ({ page_view_id: view?.key, engaged_ms, scroll_pct, webdriver: webdriver() });

/** Keeps the session alive; reports the engagement with a view, if there is one. */
export const postPing = (ticket, view, ...engaged) => send(ticket, SESSION_PING, view ? engagement(view, ...engaged) : {});

/** The last word about a view. */
export const beaconPing = (...all) => beacon(SESSION_PING, json(engagement(...all)));

/** What the server needs to erase a visitor's data; undefined if no visitor is known. */
export const toErase = () => erasable() && { visitor_id: erasable(), url: told(location.href), site: options.site };
