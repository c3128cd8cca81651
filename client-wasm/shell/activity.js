// When the visitor was last active: the only hint that a session is alive.

import { deleteCookie, readCookie } from "./cookies.js";
import { LAST_ACTIVITY_MAX_AGE_S, SESSION_IDLE_MS } from "./generated.js";
import { options } from "./options.js";
import { sticks } from "./sticks.js";

/** In ms since the Unix epoch; NaN if it is not known. */
export const readActivity = () => +readCookie(options.activityCookie);

/** Whether the session is alive, as far as the browser knows. */
export const isLive = () => Math.abs(Date.now() - readActivity()) < SESSION_IDLE_MS;

/** Notes it; whether the cookie sticks, unless that is `sure`. */
export const writeActivity = (at, sure) => sticks(options.activityCookie, at, LAST_ACTIVITY_MAX_AGE_S, sure);

/** Forgets it. */
export const deleteActivity = () => deleteCookie(options.activityCookie);
