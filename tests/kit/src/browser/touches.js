// Notes whatever a script does that leaves a trace, in `window.touched`. Runs before the page.
window.touched = [];
const note = (what) => window.touched.push(what);
const around = (owner, name) => {
  const original = owner?.[name];
  if (!original) return;
  owner[name] = function (...args) {
    note(name);
    return original.apply(this, args);
  };
};
around(window.Storage?.prototype, "setItem");
around(window.LockManager?.prototype, "request");
around(window.IDBFactory?.prototype, "open");
around(window.CacheStorage?.prototype, "open");
around(window.CookieStore?.prototype, "set");
around(window.ServiceWorkerContainer?.prototype, "register");
around(window.BroadcastChannel?.prototype, "postMessage");
around(Navigator.prototype, "sendBeacon");
around(XMLHttpRequest.prototype, "send");
around(window, "fetch");
const { get, set } = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
Object.defineProperty(Document.prototype, "cookie", {
  configurable: true,
  get,
  set(text) {
    note("cookie");
    set.call(this, text);
  },
});
for (const name of ["BroadcastChannel", "WebSocket", "EventSource", "Worker", "SharedWorker"]) {
  const original = window[name];
  if (!original) continue;
  window[name] = class extends original {
    constructor(...args) {
      note(name);
      super(...args);
    }
  };
}
