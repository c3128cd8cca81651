import { defineConfig } from "astro/config";
import visitflow from "visitflow/astro";

// The visitflow server. Its paths are passed on to it in development, so that page and server share an origin; in
// production your web server does that (../reverse-proxy).
const target = process.env.VISITFLOW_SERVER ?? "http://127.0.0.1:8080";

export default defineConfig({
  integrations: [visitflow({ rememberConsent: true })],
  vite: { server: { proxy: { "/api": { target, xfwd: true } } } },
  build: { format: "file" },
  redirects: { "/old": "/about" },
  devToolbar: { enabled: false },
});
