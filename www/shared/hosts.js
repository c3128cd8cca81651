// Where the shop and the dashboard are, seen from each other. On this machine they are on a host
// each, because both sign in with the same cookie: a customer who looks at the figures as an admin
// would come back to the shop as another person.

const SHOP = "127.0.0.1";
const DASHBOARD = "localhost";

/** The dashboard's address, for a link of the shop. */
export function dashboardLink(here = location) {
  return link("/dashboard", here, SHOP, DASHBOARD);
}

/** The shop's address, for a link of the dashboard. */
export function shopLink(here = location) {
  return link("/demo", here, DASHBOARD, SHOP);
}

function link(path, here, from, to) {
  if (here.hostname !== from) return path;
  const there = new URL(path, here.href);
  there.hostname = to;
  return there.href;
}

/** Whether a host name, as `location.hostname` has it, is this machine itself. */
export function isLoopback(hostname) {
  return /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}
