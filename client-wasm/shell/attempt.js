// What a page may forbid or lack is tried: storage, cookies, a method. The visit is measured without.

/** What `run` returns; undefined where it throws. */
export const attempt = (run) => {
  try {
    return run();
  } catch {}
};
