// The browser, where one operation takes several steps, may throw, or must cost nothing when nothing
// comes of it. Rust decides, this does. What happens is told by number: `Happening` in watch.rs.
// Nothing here throws what a page may bring about.

const MOVED = 0, REPLACED = 1, RESTORED = 2, ACTIVITY = 3, SCROLL = 4, LOOK = 5, HIDE = 6, ONLINE = 7, LOCKED = 8, REVOKED = 9;

const NAME = "visitflow";

let options;
let tell; // (what): Rust hears of it
let answered; // (ticket, status, after, answer): and of this
let adopted; // (fact, isOrder, at): and of a fact of an earlier page
const inbox = []; // what happened while Rust was busy
let busy;

const take = (given) => {
  options = given;
  [VISITOR = "visitor_id", HINT = "last_activity"] = given.names ?? [];
};

const attempt = (run) => {
  try {
    return run();
  } catch {
    // Storage may be forbidden, a method missing: the visit is measured without.
  }
};

/**
 * Runs what calls into Rust, now or after what is running: the page may have wrapped `fetch`, and
 * call us from there.
 */
export const serially = (run) => {
  inbox.push(run);
  if (busy) return;
  busy = true;
  for (let next; (next = inbox.shift()); ) {
    jar = undefined;
    attempt(next);
  }
  busy = undefined;
};

/** Explains itself, where the page asked for that (debug.js of the package). */
const trace = (...all) => options.trace?.(...all);

/** Returns what Rust wants to know of the options: the bits of `init` in lib.rs. */
export const begin = (given, hear, hearAnswer, hearFact) => {
  take(given);
  tell = (what) => {
    trace("happened", what);
    serially(() => hear(what));
  };
  answered = (...all) => serially(() => hearAnswer(...all));
  adopted = (...all) => queueMicrotask(() => serially(() => hearFact(...all)));
  seen = seenTitle = undefined;
  land(location.href);
  options.later?.();
  options.later = undefined;
  // Rust is to ask for a start: that renews the visitor's cookie, and tells whether this browser is counted.
  const { consent, beforeConsent, autoPageViews } = given;
  begun = consent == "granted" && isLive() && attempt(() => localStorage[BEGUN]);
  if (begun) deleteActivity();
  return [consent == "granted", consent == "denied", beforeConsent == "anonymous", autoPageViews + "" != "false"].reduce(
    (bits, bit, at) => bits | (bit << at),
    0,
  );
};

/** Says what is wrong, or what the answer says of it; the page hears of the first time only. */
export const complain = (text, answer) => {
  trace("complaint", detail(answer, text));
  options.complain(detail(answer, text));
};

const detail = (answer, otherwise) => (typeof answer?.detail == "string" ? answer.detail : otherwise);

/** Settles a promise of the page: `(error)`, or `(undefined, value)`. */
export const settle = (promise, error, value) => {
  attempt(() => promise(error && detail(value, error), value));
};

// ---- what happens

let watching; // an AbortController; its end removes every listener
let channel; // to the other tabs

/** Watches until `rest`: routes if asked, and in full what the visitor does. */
export const watch = (routes, full) => {
  const { signal } = (watching = new AbortController());
  const on = (target, names, then) => {
    for (const name of names.split(" ")) target.addEventListener(name, then, { capture: true, passive: true, signal });
  };
  // Tells it at most every `ms`; what happens in between costs nothing.
  const often = (names, ms, what) => {
    const hear = () => {
      for (const name of names.split(" ")) removeEventListener(name, hear, true);
      setTimeout(() => signal.aborted || often(names, ms, what), ms);
      tell(what);
    };
    on(window, names, hear);
  };
  const wrap = (name, what) => {
    const original = history[name];
    const wrapper = (history[name] = function (...args) {
      try {
        return original.apply(this, args);
      } finally {
        // The page's own wrapper may throw once the address has moved.
        if (!signal.aborted) tell(what);
      }
    });
    signal.addEventListener("abort", () => {
      // Where somebody wrapped the wrapper, it has to go on answering.
      if (history[name] != wrapper) return;
      delete history[name];
      if (history[name] != original) history[name] = original;
    });
  };

  if (routes) {
    if (window.navigation) {
      on(navigation, "currententrychange", ({ navigationType }) => {
        if (navigationType) tell(navigationType == "replace" ? REPLACED : MOVED);
      });
    } else {
      on(window, "popstate hashchange", () => tell(MOVED));
      wrap("pushState", MOVED);
      wrap("replaceState", REPLACED);
    }
  }
  on(window, "pageshow", ({ persisted }) => persisted && tell(RESTORED));
  on(window, "pagehide", () => tell(HIDE));
  if (full) {
    often("click keydown pointerdown", 1000, ACTIVITY);
    often("scroll", 250, SCROLL);
    on(window, "visibilitychange focus blur", () => tell(LOOK));
    on(window, "online", () => tell(ONLINE));
    attempt(() => {
      channel = new BroadcastChannel(NAME);
      channel.onmessage = () => tell(REVOKED);
    });
  }
};

/** Ends all watching. */
export const rest = () => {
  channel?.close();
  watching?.abort();
  channel = watching = undefined;
};

/** Tells the other tabs that consent was taken back. */
export const tellOthers = () => {
  rest();
  attempt(() => {
    channel = new BroadcastChannel(NAME);
    channel.postMessage(0);
  });
  rest();
};

// ---- requests

const calls = {}; // under way: ticket → AbortController

/**
 * Posts by fetch; the answer is told later, unless `abort` comes first: to Rust by the ticket, if it has
 * one, and its status by the promise. Status 0 is no answer. The body is read to its end: only then is the
 * connection free.
 */
const post = (ticket, path, body, json, anonymous) => {
  trace("request", path, body);
  const controller = new AbortController();
  if (ticket) calls[ticket] = controller;
  const late = setTimeout(() => controller.abort(), 20000);
  const told = (status, after, answer) => {
    clearTimeout(late);
    if (ticket && calls[ticket] != controller) return;
    delete calls[ticket];
    trace("answer", path, status, after);
    if (ticket) answered(ticket, status, after, answer);
    return status;
  };
  const send = async () => {
    const answer = await fetch(options.endpoint + path, {
      method: /privacy/.test(path) ? "DELETE" : "POST",
      body,
      credentials: anonymous ? "omit" : "include",
      headers: json ? { "Content-Type": "application/json" } : {},
      keepalive: body.length < 20000, // 64 KiB of all such requests together
      signal: controller.signal,
    });
    const text = await answer.text();
    return told(answer.status, 1000 * answer.headers.get("Retry-After") || 0, text ? attempt(() => JSON.parse(text)) : undefined);
  };
  return send().catch(() => told(0, 0));
};

/** Sends a request of the page; one that signs in says so if that is not to be measured. */
export const ask = (ticket, path, body, measured) =>
  post(ticket, path, JSON.stringify({ ...body, ...(body && !measured && { visit: false }) }), /auth|privacy/.test(path));

export const abort = (ticket) => {
  const controller = calls[ticket];
  delete calls[ticket];
  controller?.abort();
};

/** Sends a beacon; where the browser takes no more of them, a request of which nobody hears. */
const beacon = (path, body) => {
  trace("beacon", path, body);
  if (!attempt(() => navigator.sendBeacon(options.endpoint + path, body))) post(0, path, body);
};

// ---- one tab at a time

let release; // of the lock that this tab holds

/** Tells LOCKED once this tab alone of its origin may start a session, or after three seconds. */
export const lock = () => {
  let late = setTimeout(() => go(), 3000);
  const go = (hold) => {
    if (!late) return hold?.();
    clearTimeout(late);
    late = 0;
    unlock();
    release = hold;
    tell(LOCKED);
  };
  // Where there are no locks (plain HTTP) the server joins what two tabs start.
  const locked = async () => navigator.locks?.request(NAME, () => new Promise(go));
  locked().then(() => go(), () => go());
};

export const unlock = () => {
  release?.();
  release = undefined;
};

// ---- identifiers

const hex = (byte) => (byte + 256).toString(16).slice(1);

/** A UUIDv4 (RFC 9562); on plain HTTP browsers make none. */
const uuid = () =>
  crypto.randomUUID?.() ??
  [...crypto.getRandomValues(new Uint8Array(16))].map(hex).join("").replace(/(.{8})(.{4}).(...).(...)/, "$1-$2-4$3-8$4-");

/** A UUIDv7 of a time, in ms since the Unix epoch. */
const uuidAt = (at) => ("0" + at.toString(16)).replace(/.{8}/, "$&-") + "-7" + uuid().slice(15);

// ---- what is stored

let VISITOR, HINT; // the cookies' names
let secure = "; Secure";
let visitor; // as long as there is consent

let jar; // all cookies, as far as one turn knows them: to ask the browser takes its time

// None where cookies are forbidden.
const cookies = () => (busy && jar) ?? (jar = attempt(() => document.cookie) ?? "");

const readCookie = (name, all = cookies(), more = "") =>
  all.match("(?:^|; )" + name.replace(/\W/g, "\\$&") + more + "=([^;]*)")?.[1];

// One of another form is somebody else's, and stays as it is.
const isTaken = (name) => !(name == HINT ? /^\d*$/ : /^(v_|$)/).test(readCookie(name) ?? "");

const readOwn = (name) => (isTaken(name) ? undefined : readCookie(name));

const writeCookie = (name, value, age, domain = options.cookieDomain) => {
  if (isTaken(name)) return complain(`the cookie ${name} is another application's; give visitflow's another name by cookieNames`);
  trace("cookie", name, value, age);
  jar = undefined;
  attempt(() => {
    document.cookie = `${name}=${value}; Max-Age=${age}; Path=/${domain ? "; Domain=" + domain : ""}${secure}; SameSite=Lax`;
  });
};

const deleteCookie = (name) => {
  writeCookie(name, "", 0);
  if (options.cookieDomain) writeCookie(name, "", 0, "");
};

/** Takes the identifier that the cookie holds; whether there is one. */
export const recognise = (all) => {
  const known = readCookie(VISITOR, all);
  if (!/^v_[\da-f-]{36}$/i.test(known)) return false;
  visitor = known;
  return true;
};

// `Secure` is left out from then on if that is why a cookie does not stick: on an http page of a loopback host
// the browser may refuse secure cookies.
const sticks = (name, value, age, sure) => {
  writeCookie(name, value, age);
  if (sure || readCookie(name) == value) return true;
  const { protocol, hostname } = location;
  if (!secure || protocol != "http:" || !/^(127\.|\[::1]$|(.+\.)?localhost$)/.test(hostname)) return false;
  secure = "";
  if (sticks(name, value, age)) return true;
  secure = "; Secure"; // there is another reason
  return false;
};

/** Writes the visitor's name; whether the cookie sticks. */
export const rename = () => sticks(VISITOR, visitor, 31536000);

/**
 * Names the visitor like all other tabs that do so at this moment; whether the cookie sticks. Each writes a
 * cookie of its own, and the name in the first of these is the visitor's: cookies are read in the order in
 * which they were written (RFC 6265 §5.4). Who comes when they are gone again finds the visitor's.
 */
export const name = () => {
  const own = "v_" + uuid();
  writeCookie(VISITOR + own, own, 9);
  const all = cookies(); // once: others do the same meanwhile
  const oldest = readCookie(VISITOR, all, "v_[^=]*");
  if (!recognise(all)) visitor = oldest || own;
  const named = rename();
  deleteCookie(VISITOR + own);
  return named;
};

/** Whether the cookie holds the visitor's identifier still. */
export const isNamed = () => readCookie(VISITOR) == visitor;

let erasing; // the last visitor of this page

/** What the server needs to know to erase a visitor's data; undefined if nobody was known. */
export const toErase = () => {
  erasing = visitor || readOwn(VISITOR) || erasing || options.revoked;
  return erasing && { visitor_id: erasing, url: current, site: options.site };
};

/** The visitor's identifier, for the snapshot. */
export const named = () => visitor;

/** Whether any of our cookies is there. */
export const isMarked = () => !!(readOwn(VISITOR) || readOwn(HINT));

/** Forgets the visitor; the cookies too, unless a consent since then has named another, or anyway. */
export const unname = (anyway) => {
  const known = readOwn(VISITOR);
  if (anyway || !known || known == visitor) {
    deleteCookie(VISITOR);
    deleteCookie(HINT);
  }
  visitor = undefined;
};

/** When the visitor was last active, in ms since the Unix epoch; NaN if nobody knows. */
export const readActivity = () => +readCookie(HINT);

const isLive = () => Math.abs(Date.now() - readActivity()) < 1800000;

/** Notes when the visitor was last active; whether the cookie sticks, unless that is `sure`. */
export const writeActivity = (at, sure) => sticks(HINT, at, 3600, sure);

/** Forgets it. */
export const deleteActivity = () => deleteCookie(HINT);

// ---- facts: {key, path, at, body}, where `body` lacks visitor and age

const KEY = NAME + ":";
const VIEWS = NAME + ".views"; // how many, in this visit
const BEGUN = NAME + ".begun";
const DAYS_7 = 604800000;
const mine = new Set(); // keys of facts that this page sees to

const json = (all) => JSON.stringify({ ...all, webdriver: navigator.webdriver || undefined });

// In UTF-8 no letter takes more than three bytes.
const fits = (text, bytes) => 3 * text.length <= bytes || new TextEncoder().encode(text).length <= bytes;

let last = 0; // the time of the last id

// Ids grow (RFC 9562 §5.7); of two in one millisecond the second is of the next one (§6.2).
const make = (path, at, more) => {
  const key = uuidAt((last = Math.max(at, last + 1)));
  const body = { id: key, url: reported(location.href), ...more, site: options.site, webdriver: navigator.webdriver || undefined };
  if (fits(JSON.stringify(body), 65000)) return { key, path: "/api/telemetry/" + path, at, body };
  complain("dropped: larger than 64 KiB");
};

let landing; // the reported address of the page as it was first
let current = ""; // as it is
let views = 0; // of this visit, where nothing is stored
let seen; // that of the last view, and its title
let seenTitle;

/**
 * The address as it is reported: without the fragment unless it routes (`#/…`, `#!…`); where it is
 * longer than the server takes, what names the campaign is all that stays of the query.
 */
export const reported = (href) => {
  const bare = href.replace(/#(?![/!]).*/, "");
  if (fits(bare, 2048)) return bare;
  const kept = bare.match(/\b(utm_\w+|\w*clid)=[^&#]{1,99}/g);
  return bare.replace(/[?#].*/, kept ? "?" + kept.join("&") : "");
};

const path = (url) => url.replace(/\?[^#]*/g, "");

/** Lands on a page. */
export const land = (href) => {
  landing = current = reported(href);
};

/** Goes to the address that the page has by now. Bit 0: it is another; bit 1: its path is, too. */
export const go = (to = reported(location.href)) => {
  const bits = (to != current) | ((path(to) != path(current)) << 1);
  current = to;
  return bits;
};

const count = (number) => {
  views = number;
  attempt(() => (localStorage[VIEWS] = views));
  return views;
};

let begun; // the visit, by a view that went ahead, perhaps on an earlier page; until a start is answered

/** Whether the session that Rust asks for is alive already. */
export const isBegun = () => !!begun;

/** Numbers views from one; on from there where the start is that of a visit that was begun ahead. */
export const countAnew = () => begun || count(0);

// The first formatter of a page reads the language's tables, which takes its time. Temporal does not.
const timeZone = () => (self.Temporal ? Temporal.Now.timeZoneId() : Intl.DateTimeFormat().resolvedOptions().timeZone);

/**
 * A view of the page, or of `{url}`, or the one that went `ahead`; none where the consent to that was taken
 * back since. It is numbered, unless it has its number. Nothing of the device identifies a person.
 */
export const view = (at, full, given, sequence) => {
  const ahead = given?.ahead;
  if (ahead) {
    ({ url: seen, title: seenTitle } = ahead.body);
    if (!full || ahead.visitor != visitor) return;
    if (!ahead.sent) count(ahead.body.sequence);
    return ahead;
  }
  const url = given ? reported(given.url) : current;
  const referrer = seen == undefined ? reported(document.referrer) : seen != url && seen;
  // A form may go by this name. The server cuts what is long. A title that has not changed with the address
  // is that of the page before: the new one is not set yet.
  const hints = navigator.userAgentData;
  const title = document.title + "";
  const fact = make("page_view", at, {
    referrer: referrer || undefined,
    ...(full
      ? {
          sequence: sequence ?? count((+attempt(() => localStorage[VIEWS]) || views) + 1),
          title: (url == reported(location.href) && title != seenTitle && title) || undefined,
          device: {
            screen_width: screen.width,
            screen_height: screen.height,
            viewport_width: innerWidth,
            viewport_height: innerHeight,
            language: navigator.language,
            time_zone: attempt(timeZone),
            platform: hints?.platform,
            mobile: hints?.mobile,
            brands: hints?.brands?.map(({ brand, version }) => brand + " " + version).join(),
          },
        }
      : { anonymous: true }),
    url,
  });
  seen = url;
  seenTitle = title;
  return fact;
};

/** An order or an event; none if it is too large to be sent. The server says what else is wrong with it. */
export const other = (isOrder, at, given) => make(isOrder ? "order" : "event", at, given);

// Those that wait have a key each in localStorage, so that no tab overwrites what another wrote.

/** Keeps a fact of the visitor; for a minute no other page sends it. */
export const keep = ({ key, path, at, body }) => {
  mine.add(key);
  attempt(() => localStorage.setItem(KEY + key, JSON.stringify([Date.now(), visitor, path, at, body])));
};

/** Drops a fact. */
export const drop = ({ key }) => {
  attempt(() => localStorage.removeItem(KEY + key));
};

const kept = () => attempt(() => Object.keys(localStorage).filter((name) => name.startsWith(KEY))) ?? [];

/** Drops those that this page sees to, or all. */
export const dropKept = (all) => {
  attempt(() => {
    delete localStorage[VIEWS];
    delete localStorage[BEGUN];
  });
  for (const name of kept()) if (all || mine.has(name.slice(KEY.length))) localStorage.removeItem(name);
};

/** Tells of what pages before this one could not send. */
export const adopt = () => {
  for (const name of kept()) {
    const key = name.slice(KEY.length);
    attempt(() => {
      const [claimed, owner, path, at, body] = JSON.parse(localStorage[name]);
      if (mine.has(key) || !body) return;
      // Of a visitor who took consent back where this page could not hear of it.
      if (owner != visitor) return localStorage.removeItem(name);
      if (Math.abs(Date.now() - claimed) >= 60000) adopted({ key, path, at, body }, /order$/.test(path), at);
    });
  }
};

// Half of a character, as it stays of a text that was cut, is no text to the server.
const whole = (_, value) => value?.toWellFormed?.() ?? value;

const text = ({ at, body }, visitor_id) =>
  JSON.stringify({ ...body, visitor_id, age_ms: Math.max(0, Math.min(DAYS_7, Date.now() - at)) }, whole);

/** Posts a fact, unless it went ahead and the server has it; anonymously without cookies. */
export const postFact = (ticket, fact, anonymous) => {
  if (fact.sent) return queueMicrotask(() => answered(ticket, 204, 0));
  const answer = post(ticket, fact.path, text(fact, anonymous ? undefined : visitor), false, anonymous);
  if (ticket && !anonymous) keep(fact); // the visitor may have been named anew
  return answer;
};

const gathered = {}; // path → bodies

/** Takes a fact for the next `flush`. */
export const gather = (fact) => {
  (gathered[fact.path] ??= []).push(text(fact, visitor));
};

/** Sends what was gathered by beacon, in arrays that the server and the browser take. */
export const flush = () => {
  for (const path in gathered) {
    const bodies = [];
    const send = () => bodies.length && beacon(path, "[" + bodies.splice(0) + "]");
    for (const body of gathered[path].splice(0)) {
      if (bodies.length == 100 || bodies.join().length + body.length > 20000) send();
      bodies.push(body);
    }
    send();
  }
};

// ---- the session's requests

const SESSION = "/api/session/";

/** Asks for a session; the first time it tells of the landing page. */
export const postStart = async (ticket, first) => {
  const status = await post(
    ticket,
    SESSION + "start",
    json({
      visitor_id: visitor,
      url: first ? landing : reported(location.href),
      referrer: (first && reported(document.referrer)) || undefined,
      site: options.site,
      cookies: isNamed() ? undefined : 0,
    }),
  );
  if (status != 200) return;
  begun = 0;
  attempt(() => delete localStorage[BEGUN]);
};

const engagement = (view, engaged_ms, scroll_pct) => json({ page_view_id: view?.key, engaged_ms, scroll_pct });

/** Keeps the session alive; reports the engagement with a view, if there is one. */
export const postPing = (ticket, view, ...engaged) =>
  post(ticket, SESSION + "ping", view ? engagement(view, ...engaged) : "{}");

/** The last word about a view. */
export const beaconPing = (...all) => beacon(SESSION + "ping", engagement(...all));

// ---- ahead of Rust

/**
 * Sends the view of the landing page while the WebAssembly is still away; the server begins a session by it
 * if none is alive. `first` gives what the page came with first, into which the fact is put for Rust to
 * take over.
 */
export const ahead = async (all, first) => {
  take(all);
  const send = async () => {
    const call = first(); // none any more where Rust was not to be kept waiting
    const [kind, at, href, given] = call;
    if (options.consent != "granted" || kind != "page_view" || given.url) return;
    const known = recognise();
    // Another tab may have taken consent back.
    if (!known && (options.known || !name())) return;
    options.known = true;
    const live = known && isLive();
    const fact = (call[5] = view(at, true, { url: href }, live ? undefined : 1));
    fact.visitor = visitor;
    call[3] = fact.body;
    // The browser's storage takes its time at first: not while the page loads, but when Rust is there (perhaps
    // as JavaScript, in a file with variables of its own), or when the page is not shown any more.
    options.later = () => {
      if (options.consent != "granted" || !isNamed()) return;
      if (!fact.sent) return keep(fact);
      options.later = undefined;
      if (!live) attempt(() => (localStorage[BEGUN] = count(1)));
    };
    for (const what of ["visibilitychange", "pagehide"]) addEventListener(what, () => options.later?.());
    call[4] = fact.sent = (await postFact(0, fact)) == 204;
    const now = readCookie(VISITOR);
    if (now != fact.visitor) {
      // Consent was taken back: this is nobody's view any more. The answer may have begun a session since;
      // without it there would be nothing to end yet, so the request is not given up.
      call[4] = true;
      options.later = undefined;
      if (now) return;
      unname();
      beacon(SESSION + "forget", "{}");
    } else if (fact.sent && first() == call) {
      if (mine.has(fact.key)) drop(fact); // kept when the page was not shown
      writeActivity(Date.now(), !known);
    }
  };
  // In Chromium all tabs read the same cookies at once. Elsewhere the second of two tabs that are opened
  // together waits until the first has an answer.
  await (navigator.userAgentData ? send() : navigator.locks.request(NAME, send));
};

// ---- the page

export const random = () => crypto.getRandomValues(new Uint32Array(1))[0];

/** How far down the page the viewport reaches, in per cent. */
export const depth = () => Math.min(100, (100 * (scrollY + innerHeight)) / document.documentElement.scrollHeight || 0);

/** The time has come for something. */
export const due = (what) => tell(what);
