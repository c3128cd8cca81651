// The browser, where one operation takes several steps, may throw, or must cost nothing when nothing
// comes of it. Rust decides, this does. What happens is told by number: `Happening` in watch.rs.
// Nothing here throws.

const MOVED = 0, REPLACED = 1, RESTORED = 2, ACTIVITY = 3, SCROLL = 4, LOOK = 5, HIDE = 6, ONLINE = 7, LOCKED = 8, REVOKED = 9;

const NAME = "visitflow";

let options;
let tell; // (what): Rust hears of it
let answered; // (ticket, status, after, detail, answer): and of this
const inbox = []; // what happened while Rust was busy
let busy;

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
  for (let next; (next = inbox.shift()); ) attempt(next);
  busy = false;
};

export const begin = (given, hear, hearAnswer) => {
  options = given;
  tell = (what) => serially(() => hear(what));
  answered = (...all) => serially(() => hearAnswer(...all));
};

/** Says what is wrong; the page hears of the first time only. */
export const complain = (text) => options.complain(text);

/** Settles a promise of the page: `(error)`, or `(undefined, value)`. */
export const settle = (promise, error, value) => {
  attempt(() => promise(error, value));
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
  // Events in between cost one comparison.
  const often = (ms, what) => {
    let next = 0;
    return ({ timeStamp }) => {
      if (timeStamp < next) return;
      next = timeStamp + ms;
      tell(what);
    };
  };
  const wrap = (name, what) => {
    const original = history[name];
    const wrapper = (history[name] = function (...args) {
      const result = original.apply(this, args);
      if (!signal.aborted) tell(what);
      return result;
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
    on(window, "click keydown pointerdown", often(1000, ACTIVITY));
    on(window, "scroll", often(250, SCROLL));
    on(window, "visibilitychange focus blur", () => tell(LOOK));
    on(window, "online", () => tell(ONLINE));
    attempt(() => {
      channel = new BroadcastChannel(NAME);
      channel.onmessage = () => tell(REVOKED);
    });
  }
};

/** Ends all watching; tells the other tabs that consent was taken back, if it was. */
export const rest = (revoked) => {
  if (revoked) channel?.postMessage(0);
  channel?.close();
  watching?.abort();
  channel = watching = undefined;
};

// ---- requests

const calls = {}; // under way: ticket → AbortController

/**
 * Posts by fetch; the answer is told later, unless `abort` comes first. Status 0 is no answer. The
 * body is read to its end: only then is the connection free.
 */
export const post = (ticket, path, body, json, anonymous) => {
  const controller = (calls[ticket] = new AbortController());
  const late = setTimeout(() => controller.abort(), 20000);
  const told = (status, after, answer) => {
    clearTimeout(late);
    if (calls[ticket] != controller) return;
    delete calls[ticket];
    answered(ticket, status, after, answer?.detail, answer);
  };
  const send = async () => {
    const answer = await fetch(options.endpoint + path, {
      method: "POST",
      body,
      credentials: anonymous ? "omit" : "include",
      headers: json ? { "Content-Type": "application/json" } : {},
      keepalive: body.length < 60000,
      signal: controller.signal,
    });
    const text = await answer.text();
    told(answer.status, 1000 * answer.headers.get("Retry-After") || 0, attempt(() => JSON.parse(text)));
  };
  send().catch(() => told(0, 0));
};

export const abort = (ticket) => {
  const controller = calls[ticket];
  delete calls[ticket];
  controller?.abort();
};

/** Sends a beacon; where the browser takes no more of them, a request of which nobody hears. */
export const beacon = (path, body) => {
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

// ---- what is stored

let secure = "; Secure";

/** The value of a cookie; none where cookies are forbidden. */
export const readCookie = (name) => attempt(() => document.cookie.match("(?:^|; )" + name + "=([^;]*)")?.[1]);

/** Writes a cookie; with an age of 0 it deletes that of the domain, and that of the host. */
export const writeCookie = (name, value, age) => {
  const write = (domain) =>
    attempt(() => {
      document.cookie = `${name}=${value}; Max-Age=${age}; Path=/${domain ? "; Domain=" + domain : ""}${secure}; SameSite=Lax`;
    });
  write(options.cookieDomain);
  if (!age && options.cookieDomain) write();
};

/**
 * Leaves `Secure` out from now on where that is allowed: on an http page of a loopback host, whose
 * browser may refuse secure cookies. Returns whether that changed anything.
 */
export const relax = () => {
  const { protocol, hostname } = location;
  const relaxed = secure && protocol == "http:" && /^(127\.|\[::1]$|(.+\.)?localhost$)/.test(hostname);
  if (relaxed) secure = "";
  return !!relaxed;
};

// Facts that wait have a key each, so that no tab overwrites what another wrote.

const KEY = NAME + ":";

/** Keeps a fact, or drops it. */
export const keep = (id, line) => {
  attempt(() => (line ? localStorage.setItem(KEY + id, line) : localStorage.removeItem(KEY + id)));
};

const kept = () => attempt(() => Object.keys(localStorage).filter((key) => key.startsWith(KEY))) ?? [];

/** All that are kept, `id line` each, in lines. */
export const readKept = () =>
  kept()
    .map((key) => key.slice(KEY.length) + " " + localStorage[key])
    .join("\n");

/** Drops them. */
export const dropKept = () => {
  for (const key of kept()) localStorage.removeItem(key);
};

// ---- the page

export const random = () => crypto.getRandomValues(new Uint32Array(1))[0];

export const href = () => location.href;

/** How far down the page the viewport reaches, in per cent. */
export const depth = () => Math.min(100, (100 * (scrollY + innerHeight)) / document.documentElement.scrollHeight || 0);

const body = (url, more) => json({ ...more, url, site: options.site });

const json = (all) => JSON.stringify({ ...all, webdriver: navigator.webdriver || undefined });

/** The body of a page view. Nothing of the device identifies a person. */
export const view = (id, url, referrer, full) =>
  body(url, {
    id,
    referrer,
    ...(full
      ? {
          title: (location.href.startsWith(url) && document.title.slice(0, 128)) || undefined,
          device: {
            screen_width: screen.width,
            screen_height: screen.height,
            viewport_width: innerWidth,
            viewport_height: innerHeight,
            language: navigator.language,
            time_zone: attempt(() => Intl.DateTimeFormat().resolvedOptions().timeZone),
          },
        }
      : { anonymous: true }),
  });

/** The body of a start. */
export const start = (visitor_id, url, referrer) => body(url, { visitor_id, referrer });

/** The body of a ping. */
export const ping = (page_view_id, engaged_ms, scroll_pct) => json({ page_view_id, engaged_ms, scroll_pct });

/** The body of an event or an order; none if the server would refuse it. */
export const fact = (id, url, given) => {
  const { name, props } = given;
  const fits =
    name == null ||
    (name && [...name].length <= 64 && (!props || (!props.at && new TextEncoder().encode(JSON.stringify(props)).length <= 4096)));
  if (fits) return body(url, { id, ...given });
  complain("an event was dropped: its name takes 1 to 64 characters, its props a JSON object of at most 4096 bytes");
};
