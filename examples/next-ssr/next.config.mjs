export default {
  // Next.js streams the metadata of a page after the page; until then the page has no title, and its view may be sent
  // without one. This turns the streaming off, for all user agents.
  htmlLimitedBots: /.*/,
  redirects: async () => [{ source: "/old", destination: "/about", permanent: false }],
};
