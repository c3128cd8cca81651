// What the package does with the shell before Rust begins (pkg/src/wired.js), for the tests of main.rs.

import { setOptions } from "../shell/options.js";
import { catchUp as catchUpTo, land } from "../shell/routes.js";
import { connect as connectRust, tellView } from "../shell/rust.js";
import { takeOver } from "../shell/session.js";
import { leaveTitle } from "../shell/views.js";

export { land };

let isFirst = true;

export const connect = (options, ...functions) => {
  setOptions(options);
  connectRust(...functions);
  if (!isFirst) leaveTitle();
  isFirst = false;
  land(location.href);
  takeOver();
};

export const catchUp = () => catchUpTo(tellView, false);
