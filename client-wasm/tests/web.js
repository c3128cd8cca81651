// A browser that writes down what the client does, and a server that answers as told.

const requests = [];
const written = [];
const complaints = [];
let answers = {};
let taking = true; // beacons

const cookies = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
Object.defineProperty(document, "cookie", {
  configurable: true,
  get: () => cookies.get.call(document),
  set: (text) => {
    written.push(text);
    cookies.set.call(document, text);
  },
});

Object.defineProperty(document, "referrer", { configurable: true, value: "https://search.example/" });

// What else could leave a trace, or tell somebody.
const touched = [];
const setItem = Storage.prototype.setItem;
Storage.prototype.setItem = function (key, value) {
  touched.push("storage " + key);
  setItem.call(this, key, value);
};
const Channel = window.BroadcastChannel;
window.BroadcastChannel = class extends Channel {
  constructor(name) {
    super(name);
    touched.push("channel " + name);
  }
};
let busy = 0; // locks that were asked for and not granted yet, and requests without an answer
let isLocked = false; // by the test, so that the client waits on purpose
const { request } = LockManager.prototype;
LockManager.prototype.request = function (name, run) {
  touched.push("lock " + name);
  busy += 1;
  return request.call(this, name, (lock) => {
    busy -= 1;
    return run(lock);
  });
};

const path = (url) => new URL(url, location.href).pathname;

// Requests of the test runner itself pass.
const through = window.fetch;
window.fetch = async (url, init) => {
  if (typeof url !== "string" || !url.includes("/api/")) return through(url, init);
  busy += 1;
  try {
    return await respond(url, init);
  } finally {
    busy -= 1;
  }
};

async function respond(url, init) {
  requests.push({ way: "fetch", path: path(url), body: JSON.parse(init.body), method: init.method, credentials: init.credentials, keepalive: init.keepalive });
  const [status, body, headers] = answers[path(url)]?.shift() ?? (path(url).endsWith("/start") ? [200, { now: Date.now() }] : [204]);
  await new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 5);
    init.signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("aborted", "AbortError"));
    });
  });
  if (status === 0) throw new TypeError("Failed to fetch");
  return new Response(status === 204 ? null : JSON.stringify(body ?? {}), { status, headers });
}
navigator.sendBeacon = (url, body) => {
  if (taking) requests.push({ way: "beacon", path: path(url), body: JSON.parse(body) });
  return taking;
};

/** Forgets everything, cookies too, and comes back to the first page. */
export function fresh() {
  for (const name of ["visitor_id", "last_activity"]) document.cookie = name + "=; Max-Age=0; Path=/";
  localStorage.clear();
  history.replaceState(null, "", "/landing");
  touched.length = requests.length = written.length = complaints.length = 0;
  answers = {};
  taking = true;
}

export const call = (name, href, given, at) => ({ name, href, given, at });

export const options = (more) => ({
  endpoint: location.origin,
  visitorCookie: "visitor_id",
  activityCookie: "last_activity",
  consent: "pending",
  pingIntervalMs: 15000,
  landingAt: Date.now() - 4000,
  complain: (text) => complaints.push(text),
  listeners: new Set(),
  ...JSON.parse(more),
});

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Until nothing is under way any more, however slow the machine is. */
export const settled = async () => {
  for (let quiet = 0, left = 500; quiet < 3 && left; left -= 1) {
    await sleep(10);
    quiet = busy && !isLocked ? 0 : quiet + 1;
  }
};
export const answer = (at, list) => {
  answers[at] = JSON.parse(list);
};
export const sent = () => JSON.stringify(requests);
export const paths = () => requests.map((request) => request.path.split("/").pop()).join(" ");
export const last = () => JSON.stringify(requests.at(-1) ?? null);
export const urls = () =>
  requests.filter((request) => request.path.endsWith("page_view")).map((request) => new URL(request.body.url).pathname).join(" ");
export const ids = () => requests.map((request) => request.body.id).filter(Boolean).join(" ");
export const put = (name, value) => cookies.set.call(document, `${name}=${value}; Path=/`);
export const jar = () => cookies.get.call(document);
export const traces = () => touched.join("\n");
export const writes = (name) => written.filter((text) => text.startsWith(name + "=")).join("\n");
export const go = (kind, to) => history[kind](null, "", to);
export const back = () => history.back();
export const act = () => document.body.click();
export const own = () => Object.hasOwn(history, "pushState");
export const outcome = (run) =>
  new Promise((resolve) => run((error, value) => resolve(error ?? JSON.stringify(value) ?? "")));
export const kept = () =>
  Object.entries(localStorage).map(([name, value]) => (name.startsWith("visitflow:") ? value : "")).filter(Boolean).join("\n");
export const stored = () => Object.keys(localStorage).join(" ");
export const sequences = () => requests.map(({ body }) => body.sequence).filter(Boolean).join(" ");
export const keep = (key, line) => localStorage.setItem("visitflow:" + key, line);
export const origin = () => location.origin;
export const here = () => location.href;
export const entitle = (title) => {
  document.title = title;
};
export const say = () => new BroadcastChannel("visitflow").postMessage(0);
export const locked = (ms) =>
  navigator.locks.request("visitflow", async () => {
    isLocked = true;
    await sleep(ms);
    isLocked = false;
  });
export const online = () => window.dispatchEvent(new Event("online"));
export const fixBeacons = (taken) => {
  taking = taken;
};
/** A browser without the Navigation API. */
export const withoutNavigation = () => Object.defineProperty(window, "navigation", { configurable: true, value: undefined });
export const hasNavigation = () => !!window.navigation;
export const keepsSecure = () => {
  cookies.set.call(document, "probe=1; Path=/; Secure");
  const kept = /probe=1/.test(cookies.get.call(document));
  cookies.set.call(document, "probe=; Path=/; Max-Age=0");
  return kept;
};
export const withNavigation = () => delete window.navigation;
export const complaint = () => complaints.join("\n");
export const leave = () => window.dispatchEvent(new PageTransitionEvent("pagehide"));
export const restore = () => window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
