// The part of /demo/account that lists the user's sessions, each with a button that ends it.

import { el, replace } from "../../../shared/dom.js";
import { askWho, endSession, sessions, signOut } from "../account.js";

export function sessionsPart() {
  const list = el("ul", { class: "sessions", data: { testid: "sessions" } });
  const others = el("button", { type: "button", class: "button", hidden: true, data: { testid: "end-others" } }, "Sign out everywhere else");
  const error = el("p", { class: "form-error", role: "alert" });

  const draw = async () => {
    try {
      const all = await sessions();
      replace(list, all.map((one) => item(one, act)));
      others.hidden = all.length < 2;
      error.textContent = "";
    } catch (problem) {
      error.textContent = problem.message;
    }
  };
  const act = async (change) => {
    try {
      await change();
      await draw();
    } catch (problem) {
      error.textContent = problem.message;
    }
  };
  others.addEventListener("click", () => act(() => endSession({ others: true })));
  draw();
  return el("section", { class: "part" }, el("h2", {}, "Where you are signed in"), list, error, el("div", {}, others));
}

function item({ session, device, current, lastActivity }, act) {
  const end = () => (current ? signOut() : endSession(session).then(askWho));
  return el("li", { data: { testid: current ? "session-here" : "session-elsewhere" } },
    el("span", {},
      el("strong", {}, device ?? "Unknown device"),
      el("span", { class: "quiet" }, current ? "This browser" : `Last active ${lastActivity.toLocaleString()}`)),
    el("button", { type: "button", class: "button", data: { testid: current ? "end-here" : "end-elsewhere" }, on: { click: () => act(end) } }, "Sign out"));
}
