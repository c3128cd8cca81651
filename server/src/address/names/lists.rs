//! The words by which a name is recognized as that of a secret.

/// A name is that of a secret if a word of it is one of these or ends with one, as in `resettoken`. So `tokenizer`,
/// `secretary` and `passwordless` are not.
pub(super) const ENDINGS: [&str; 13] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passwort",
    "passphrase",
    "passcode",
    "credential",
    "signature",
    "email",
    "usermail",
    "sessionid",
    "sessid",
];

/// … or is one of these.
pub(super) const EXACT: [&str; 19] = [
    "authorization",
    "bearer",
    "csrf",
    "cvc",
    "cvv",
    "iban",
    "jwt",
    "mailaddr",
    "mailaddress",
    "otp",
    "passkey",
    "psw",
    "pswd",
    "pw",
    "pwd",
    "saml",
    "ssn",
    "totp",
    "xsrf",
];

/// What may follow such a word: `password_hash`, `emailaddress`, `accessKeyId`.
pub(super) const TAILS: [&str; 5] = ["addr", "address", "hash", "id", "value"];

/// A secret if it is a word of the name, but also a word of sentences.
pub(super) const WORDS: [&str; 19] = [
    "assertion",
    "auth",
    "hmac",
    "invite",
    "magic",
    "mail",
    "nonce",
    "oauth",
    "pass",
    "phone",
    "pin",
    "sess",
    "session",
    "sid",
    "sig",
    "sso",
    "ticket",
    "username",
    "verifier",
];

/// A secret if it is the whole name: `verify=…`, but not `is_mobile=…` or `mkt_tok=…`.
pub(super) const ALONE: [&str; 9] =
    ["activation", "confirmation", "invitation", "mobile", "recovery", "tel", "telephone", "tok", "verify"];

/// Words before `code` or `key` that make it a secret, as in `api_key` and `resetCode`. Others are public:
/// `country_code`, `sort_key`.
pub(super) const QUALIFIERS: [&str; 31] = [
    "access",
    "activation",
    "api",
    "auth",
    "authentication",
    "authorization",
    "backup",
    "confirm",
    "confirmation",
    "encryption",
    "invitation",
    "invite",
    "license",
    "login",
    "magic",
    "master",
    "oauth",
    "otp",
    "pass",
    "private",
    "recovery",
    "reset",
    "secret",
    "security",
    "session",
    "signing",
    "sso",
    "totp",
    "unlock",
    "verification",
    "verify",
];

/// Things that people write about.
pub(super) const TOPICS: [&str; 10] = [
    "token",
    "secret",
    "email",
    "credential",
    "signature",
    "authorization",
    "bearer",
    "jwt",
    "otp",
    "passkey",
];
