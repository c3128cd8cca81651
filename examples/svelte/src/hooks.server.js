/** What the visitor decided is known to every page, so that the server renders the right one. */
export const handle = ({ event, resolve }) => {
  const consent = event.cookies.get("consent");
  event.locals.consent = ["granted", "denied"].includes(consent) ? consent : "pending";
  return resolve(event);
};
