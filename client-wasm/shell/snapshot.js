// What Rust tells about itself, as the page reads it.

import { named } from "./visitor.js";

export const snapshot = (consent, session, last_activity, queued, sent, dropped, cookies) => ({
  consent,
  visitor_id: (consent == "granted" && named()) || null,
  session,
  last_activity,
  queued,
  sent,
  dropped,
  cookies,
});
