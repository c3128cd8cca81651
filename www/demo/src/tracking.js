// The shop's door to visitflow. Calls made before /visitflow.js has loaded wait in a queue that
// the script takes over; if the script never comes (blocked, offline), they wait there for ever
// and the shop works all the same.

window.visitflow = window.visitflow || function () {
  var call = arguments, answer = new Promise(function (done) { call.done = done; });
  answer.catch(function () {});
  (window.visitflow.q = window.visitflow.q || []).push(call);
  return answer;
};

/** `track("event", "add_to_cart", { sku })`, `track("grant")` and so on, at any time. */
export function track(...command) {
  window.visitflow(...command);
}

const parsed = new Promise((resolve) => addEventListener("DOMContentLoaded", resolve, { once: true }));

/** Resolves with the client, or with null if its script does not come. */
export async function arrived() {
  await parsed; // scripts of the page have run by then
  return client();
}

/** The loaded client, or null while only the queue is there. */
export function client() {
  return typeof window.visitflow.snapshot === "function" ? window.visitflow : null;
}
