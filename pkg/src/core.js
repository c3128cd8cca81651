// The exports of the WebAssembly that the package uses; the build leaves out the rest of the glue.

export {
  default,
  init,
  grant,
  deny,
  revoke,
  page_view,
  event,
  order,
  login,
  logout,
  end,
  snapshot,
} from "glue";
