// Names and limits, as Rust has them: made by tests/generated.rs.

export const VISITOR = "visitor_id";
export const LAST_ACTIVITY = "last_activity";
export const SESSION_START = "/api/session/start";
export const SESSION_PING = "/api/session/ping";
export const SESSION_FORGET = "/api/session/forget";
export const TELEMETRY = "/api/telemetry/";
export const ORDER = "/api/telemetry/order";
export const ERASE = "/api/privacy/visitor";
export const VISITOR_MAX_AGE_S = 31536000;
export const LAST_ACTIVITY_MAX_AGE_S = 3600;
export const URL_BYTES = 2048;
export const BODY_BYTES = 65536;
export const ARRAY_ITEMS = 100;
export const AGE_MS = 604800000;
export const SESSION_IDLE_MS = 1800000;
export const CAP = 200;
export const HEAD_START_MS = 5000;
export const NEWS_MS = 1000;

// Parameters of clicks.
export const CLICK_IDS = ["gclid", "gbraid", "wbraid", "dclid", "srsltid", "fbclid", "igshid", "igsh", "msclkid", "ttclid", "twclid", "li_fat_id", "epik", "sccid", "rdt_cid", "qclid", "yclid", "ysclid", "ymclid", "irclickid", "clickid", "click_id", "wickedid", "tblci", "dicbo", "vmcid", "mc_eid", "mkt_tok", "vero_id", "oly_enc_id", "_hsenc", "_kx", "s_cid"];

// The lock, the channel between tabs.
export const CHANNEL = "visitflow";

// What the shell tells of.
export const RESTORED = 0;
export const ACTIVITY = 1;
export const SCROLL = 2;
export const LOOK = 3;
export const HIDE = 4;
export const ONLINE = 5;
export const LOCKED = 6;
export const REVOKED = 7;
export const PING = 8;
export const WAKE = 9;
