// The option `cookieNames`: an object, or as an attribute "visitor_id=… last_activity=…".

const LONGEST = 64;

/** What is wrong with the names; undefined if nothing is. */
export const wrongNames = ({ cookieNames, cookieDomain, visitorCookie, activityCookie }) => {
  const names = [visitorCookie, activityCookie];
  const given = typeof cookieNames == "string" ? cookieNames.split(/[\s,]+/).map((pair) => pair.replace(/.*?=/, "")) : Object.values(cookieNames);
  // The loader stops at a letter that no such name may have.
  if (!given.every((name) => !name || names.includes(name))) return "names of cookies are made of A-Z a-z 0-9 _ . and -";
  if (visitorCookie == activityCookie) return "the two cookies need two names";
  if (names.some((name) => name.length > LONGEST)) return `a name has ${LONGEST} characters at most`;
  if (cookieDomain && names.some((name) => /^__host-/i.test(name))) return "a cookie that begins with __Host- has no domain";
};
