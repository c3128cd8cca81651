// The option `exclude`: pages by the pattern of their path.

const MEANING = { "/**": "(/.*)?", "**": ".*", "*": "[^/]*" };

/** `*` stands for what is between two slashes, `**` for anything; `/**` at the end also for the folder itself. */
const pattern = (text) =>
  RegExp("^" + text.replace(/\/\*\*$|\*\*?|[.+?^${}()|[\]\\]/g, (found) => MEANING[found] ?? "\\" + found) + "$");

const decoded = (text) => {
  try {
    return decodeURI(text);
  } catch {
    return text;
  }
};

/** Tells of an address whether one of these patterns is that of its path, or of its path with a route such as `#/admin`. */
export const fitting = (patterns) => {
  const all = patterns.map((text) => pattern(decoded(text)));
  return (href) => {
    const { pathname, hash } = new URL(href);
    const paths = [pathname, pathname + hash.replace(/\?.*/, "")].map(decoded);
    return all.some((one) => paths.some((path) => one.test(path)));
  };
};
