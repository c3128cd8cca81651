// For the frameworks whose answers are those of fetch.

/** The answer with these values of `Set-Cookie`. */
export function withCookies(answer, setCookie) {
  if (setCookie.length === 0) return answer;
  const copy = new Response(answer.body, answer); // the headers of some answers cannot be changed
  for (const value of setCookie) copy.headers.append("set-cookie", value);
  // An answer with a session's cookie is for one browser: no cache keeps it, whatever the page says.
  copy.headers.set("cache-control", "no-store");
  return copy;
}
