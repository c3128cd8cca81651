// Debug mode: the console tells what the client decides, and why. Nothing of this is loaded otherwise.

import { ACTIVITY, HIDE, LOCKED, LOOK, ONLINE, PING, RESTORED, REVOKED, SCROLL, WAKE } from "../../client-wasm/shell/generated.js";

const HAPPENINGS = {
  [RESTORED]: "the page came back from the back/forward cache",
  [ACTIVITY]: "the visitor did something",
  [SCROLL]: "the visitor scrolled",
  [LOOK]: "visibility or focus changed",
  [HIDE]: "the page goes away",
  [ONLINE]: "the network is back",
  [LOCKED]: "this tab may start a session now",
  [REVOKED]: "consent was taken back in another tab",
  [PING]: "a ping is due",
  [WAKE]: "the time has come to try again",
};

const CONSENT = {
  granted: "consent is granted: views are counted, cookies are written",
  denied: "consent is denied: nothing is read, written or sent",
  pending: "consent is pending: nothing is read, written or sent before grant()",
};

const meaning = (status) =>
  status == 0 ? "no answer: it is sent again later"
  : status < 300 ? "stored"
  : status == 401 ? "the session is gone: a new one is started"
  : [408, 425, 429].includes(status) || status >= 500 ? "it is sent again later"
  : "refused for good";

const SENTENCES = {
  happened: (what) => HAPPENINGS[what],
  view: (url) => `a view: ${url}`,
  request: (path, body) => `fetch ${path}` + (/auth/.test(path) ? "" : `: ${body}`),
  beacon: (path, body) => `beacon ${path}: ${body}`,
  "answer": (path, status, after) => `answer to ${path}: ${status || "none"}, ${meaning(status)}${after ? `, in ${after / 1000} s at the earliest` : ""}`,
  cookie: (name, value, age) => (age ? `cookie ${name} is written for ${age} s: ${value}` : `cookie ${name} is deleted`),
  complaint: (text) => `a complaint: ${text}`,
};

const say = (...words) => console.debug("visitflow:", ...words);

/** Explains what happens with these options from now on. Names and passwords of users are not told. */
export default (options) => {
  options.trace = (what, ...details) =>
    SENTENCES[what] ? say(SENTENCES[what](...details)) : say(`the page calls ${what}()`, ...(what == "login" ? [] : details[0]));
  say("the options are", options);
  if (options.gpc != "ignore" && navigator.globalPrivacyControl) say("the browser sends Global Privacy Control: consent is denied, whatever the page says (option gpc)");
  else if (options.dnt == "honour" && navigator.doNotTrack == "1") say("the browser sends Do Not Track: consent is denied, whatever the page says (option dnt)");
  else if (options.beforeConsent == "anonymous" && options.consent != "granted") say("until consent is granted, views are counted without cookies and identifiers");
  else say(CONSENT[options.consent]);
};
