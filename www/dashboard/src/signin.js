// The sign-in form.

import { el } from "../../shared/dom.js";
import { signIn } from "./reports.js";

/** Shows the form; calls `done` once signed in. `message` says why it is shown again. */
export function signInView({ message, done }) {
  const error = el("p", { class: "form-error", role: "alert" }, message);
  const username = input("username", "text", "username");
  const password = input("password", "password", "current-password");
  const submit = el("button", { class: "button primary", data: { testid: "dash-sign-in" } }, "Sign in");

  const onSubmit = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    error.textContent = "";
    try {
      await signIn(username.value.trim(), password.value);
      done();
    } catch (problem) {
      error.textContent = messageOf(problem);
      password.select();
    } finally {
      submit.disabled = false;
    }
  };

  const root = el("div", { class: "sign-in" },
    el("form", { class: "panel", on: { submit: onSubmit }, "aria-labelledby": "sign-in-title" },
      el("h1", { id: "sign-in-title" }, "Sign in"),
      el("p", { class: "quiet" }, "The figures are for administrators of this server."),
      field("Name", username), field("Password", password), error, submit),
    el("p", { class: "quiet aside" }, "No account yet? ", el("code", {}, "visitflow user add NAME --admin"), " makes one."));
  return { root, focus: () => username.focus() };
}

function field(label, control) {
  return el("div", { class: "field" }, el("label", { for: control.id }, label), control);
}

function input(name, type, autocomplete) {
  return el("input", { id: name, name, type, autocomplete, class: "input", required: true,
    autocapitalize: "none", spellcheck: "false", data: { testid: `dash-${name}` } });
}

function messageOf(problem) {
  if (problem.type === "wrong-credentials") return "This name and password do not match an account.";
  return problem.detail ?? problem.message;
}
