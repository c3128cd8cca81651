//! What visitflow's client and server must agree on.
//!
//! | module | holds |
//! |---|---|
//! | [`path`] | the endpoints' paths |
//! | [`cookie`] | the cookies' names and lifetimes |
//! | [`campaign`] | what in an address tells of a campaign |
//! | [`limits`] | sizes and ages that the server enforces and the client respects |
//! | [`problem`] | the stable `type` of every error answer |
//!
//! What the client's JavaScript needs of it is generated: `client-wasm/shell/generated.js`.
//!
//! The crate has no dependencies.

#![forbid(unsafe_code)]

/// What a visitor's identifier begins with; a UUID in its hyphenated form (RFC 9562 §4) follows.
pub const VISITOR_PREFIX: &str = "v_";

/// Paths of the endpoints that the client calls. The server's router has the others.
pub mod path {
    /// `POST`: start or resume a session.
    pub const SESSION_START: &str = "/api/session/start";
    /// `POST`: keep a session alive; optionally report engagement with a page view.
    pub const SESSION_PING: &str = "/api/session/ping";
    /// `POST`: end the session.
    pub const SESSION_END: &str = "/api/session/end";
    /// `POST`: stop measuring; a signed-in user stays signed in.
    pub const SESSION_FORGET: &str = "/api/session/forget";
    /// `GET`: the browser's own session, by its cookie.
    pub const SESSION: &str = "/api/session";
    /// `GET`: the sessions of a user; `DELETE`: end all but one.
    pub const SESSIONS: &str = "/api/sessions";
    /// `DELETE`: end one session of a user, by its tag.
    pub const SESSION_OF_USER: &str = "/api/sessions/{tag}";
    /// `POST`: one page view, or an array of them.
    pub const PAGE_VIEW: &str = "/api/telemetry/page_view";
    /// `POST`: one custom event, or an array of them.
    pub const EVENT: &str = "/api/telemetry/event";
    /// `POST`: one order or refund, or an array of them.
    pub const ORDER: &str = "/api/telemetry/order";
    /// `POST`: sign in.
    pub const LOGIN: &str = "/api/auth/login";
    /// `POST`: sign out.
    pub const LOGOUT: &str = "/api/auth/logout";
    /// `GET`: everything that is stored about a visitor. `DELETE`: erase it.
    pub const ERASE: &str = "/api/privacy/visitor";
}

/// Cookies.
pub mod cookie {
    /// The server's HttpOnly session token, `s_<tag>.<secret>`.
    pub const SESSION: &str = "session_id";
    /// The client's visitor identifier, `v_` + UUID; exists only after consent.
    pub const VISITOR: &str = "visitor_id";
    /// The server's HttpOnly proof that a browser is the visitor: 256 random bits, base64url.
    pub const VISITOR_KEY: &str = "visitor_key";
    /// The client's hint (ms since the Unix epoch) that a session is alive.
    pub const LAST_ACTIVITY: &str = "last_activity";
    /// Lifetime of [`VISITOR`] and [`VISITOR_KEY`] in seconds: one year.
    pub const VISITOR_MAX_AGE_S: u32 = 31_536_000;
    /// Lifetime of [`LAST_ACTIVITY`] in seconds: one hour.
    pub const LAST_ACTIVITY_MAX_AGE_S: u32 = 3_600;
}

/// Campaigns.
pub mod campaign {
    /// Parameters that hold the id of a click, or of the person who clicked.
    pub const CLICK_IDS: [&str; 33] = [
        "gclid",
        "gbraid",
        "wbraid",
        "dclid",
        "srsltid", // Google
        "fbclid",
        "igshid",
        "igsh",    // Facebook, Instagram
        "msclkid", // Microsoft
        "ttclid",
        "twclid",
        "li_fat_id",
        "epik",
        "sccid",
        "rdt_cid",
        "qclid", // TikTok, X, LinkedIn, Pinterest, Snapchat, Reddit, Quora
        "yclid",
        "ysclid",
        "ymclid", // Yandex
        "irclickid",
        "clickid",
        "click_id",
        "wickedid",
        "tblci",
        "dicbo",
        "vmcid", // affiliates, Taboola, Outbrain, Yahoo
        "mc_eid",
        "mkt_tok",
        "vero_id",
        "oly_enc_id",
        "_hsenc",
        "_kx",
        "s_cid", // mailings
    ];
}

/// Limits that the server enforces.
pub mod limits {
    /// Largest request body in bytes.
    pub const BODY_BYTES: usize = 64 * 1024;
    /// Most items in the array of one request.
    pub const ARRAY_ITEMS: usize = 100;
    /// Longest URL or referrer in bytes.
    pub const URL_BYTES: usize = 2_048;
    /// Longest name of an event in characters.
    pub const EVENT_NAME_CHARS: usize = 64;
    /// Deepest nesting of an event's `props` and an order's `items`.
    pub const JSON_DEPTH: usize = 32;
    /// Largest `props` of an event, as JSON text in bytes.
    pub const PROPS_BYTES: usize = 4_096;
    /// Longest id of an order or a refund in characters.
    pub const ORDER_ID_CHARS: usize = 64;
    /// Most items in an order.
    pub const ORDER_ITEMS: usize = 200;
    /// Longest site name in bytes (the limit of a DNS name, RFC 1035 §2.3.4).
    pub const SITE_BYTES: usize = 253;
    /// Longest short text (language, time zone, SKU, item name) in characters.
    pub const TEXT_CHARS: usize = 128;
    /// Oldest fact in ms: 7 days.
    pub const AGE_MS: u64 = 7 * 24 * 60 * 60 * 1000;
    /// Idle time in ms after which a session is dead unless configured otherwise: 30 minutes.
    pub const SESSION_IDLE_MS: u64 = 30 * 60 * 1000;
}

/// The stable `type` of each RFC 9457 problem.
pub mod problem {
    /// 400: the body is not JSON, or a field has the wrong type.
    pub const MALFORMED_BODY: &str = "malformed-body";
    /// 400: a field's value breaks a rule; `detail` names the field.
    pub const INVALID_FIELD: &str = "invalid-field";
    /// 400: a query parameter breaks a rule.
    pub const INVALID_QUERY: &str = "invalid-query";
    /// 400: items of an array were refused; `rejected` lists them.
    pub const REJECTED_ITEMS: &str = "rejected-items";
    /// 400: two different session cookies came with one request.
    pub const AMBIGUOUS_COOKIE: &str = "ambiguous-cookie";
    /// 400: the request names no host, two hosts, or something that is not a host.
    pub const INVALID_HOST: &str = "invalid-host";
    /// 400: the port speaks HTTPS, and the request came without TLS.
    pub const HTTPS_REQUIRED: &str = "https-required";
    /// 401: no live session; start one.
    pub const SESSION_EXPIRED: &str = "session-expired";
    /// 401: there is a live session, and nobody is signed in.
    pub const NOT_SIGNED_IN: &str = "not-signed-in";
    /// 401: user name or password is wrong.
    pub const WRONG_CREDENTIALS: &str = "wrong-credentials";
    /// 401: the endpoint needs an admin's session or an API key.
    pub const NOT_AUTHORIZED: &str = "not-authorized";
    /// 403: signed in, or with a key, but without the right.
    pub const FORBIDDEN: &str = "forbidden";
    /// 403: the request comes from an origin that is not allowed.
    pub const FOREIGN_ORIGIN: &str = "foreign-origin";
    /// 404: nothing is served at this path.
    pub const NOT_FOUND: &str = "not-found";
    /// 405: the path exists, the method does not; `Allow` lists those that do.
    pub const METHOD_NOT_ALLOWED: &str = "method-not-allowed";
    /// 408: the body did not arrive in time.
    pub const BODY_TIMEOUT: &str = "body-timeout";
    /// 409: another request rotated this session first.
    pub const SESSION_ROTATED: &str = "session-rotated";
    /// 409: the name of the session's cookie belongs to another application.
    pub const COOKIE_TAKEN: &str = "cookie-taken";
    /// 413: the body is larger than [`limits::BODY_BYTES`](crate::limits::BODY_BYTES).
    pub const BODY_TOO_LARGE: &str = "body-too-large";
    /// 415: the endpoint takes `application/json` only.
    pub const UNSUPPORTED_MEDIA_TYPE: &str = "unsupported-media-type";
    /// 415: the body has a coding other than gzip; `Accept-Encoding` says so.
    pub const UNSUPPORTED_ENCODING: &str = "unsupported-encoding";
    /// 429: too many requests; `Retry-After` says when to try again.
    pub const TOO_MANY_REQUESTS: &str = "too-many-requests";
    /// 500: a defect of the server.
    pub const INTERNAL: &str = "internal";
    /// 503: overloaded, or the database is away; nothing was stored, `Retry-After` says when to retry.
    pub const UNAVAILABLE: &str = "unavailable";
}
