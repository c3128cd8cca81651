// /demo/account: sign in, or who is signed in.

import { el } from "../../../shared/dom.js";
import { accountNow, askWho, isSignedIn, signIn, signOut } from "../account.js";
import { sessionsPart } from "./sessions.js";

export function accountPage() {
  return { title: "Your account", content: isSignedIn() ? greeting(accountNow()) : form() };
}

function greeting({ state, since }) {
  const error = el("p", { class: "form-error", role: "alert" });
  const leave = () => signOut().catch((problem) => (error.textContent = messageOf(problem)));
  return el("div", { class: "narrow" },
    el("h1", {}, "Your account"),
    el("p", {}, state === "in" ? `You have been signed in since ${since.toLocaleString()}.` : "Whether you are still signed in is not known at the moment."),
    state === "in" && sessionsPart(),
    error,
    el("div", { class: "actions" },
      el("a", { class: "button primary", href: "/demo" }, "Back to the shop"),
      state === "unknown" && el("button", { type: "button", class: "button", data: { testid: "try-again" }, on: { click: askWho } }, "Try again"),
      el("button", { type: "button", class: "button", on: { click: leave } }, "Sign out")));
}

function form() {
  const error = el("p", { class: "form-error", role: "alert" });
  const username = input("username", "text", "username");
  const password = input("password", "password", "current-password");
  const stay = el("input", { id: "stay", type: "checkbox", data: { testid: "stay" } });
  const submit = el("button", { class: "button primary wide", data: { testid: "sign-in" } }, "Sign in");
  const onSubmit = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    error.textContent = "";
    try {
      await signIn(username.value.trim(), password.value, { stay: stay.checked });
    } catch (problem) {
      error.textContent = messageOf(problem);
      submit.disabled = false;
    }
  };
  return el("form", { class: "narrow slim", on: { submit: onSubmit } },
    el("h1", {}, "Sign in"),
    el("p", { class: "quiet" }, "Any account of this server will do, such as the one that was printed when it started."),
    field("Name", username), field("Password", password),
    el("label", { class: "check", for: "stay" }, stay, "Stay signed in on this device"), error, submit);
}

function field(label, control) {
  return el("div", { class: "field" }, el("label", { for: control.id }, label), control);
}

function input(name, type, autocomplete) {
  return el("input", { id: name, name, type, autocomplete, class: "input", required: true,
    autocapitalize: "none", spellcheck: "false", data: { testid: name } });
}

function messageOf(problem) {
  if (problem?.type === "wrong-credentials") return "This name and password do not match an account.";
  return problem?.detail ?? problem?.message ?? "Signing in did not work. Please try again.";
}
