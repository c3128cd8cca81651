import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

// The visitflow server. Its paths are passed on to it, so that page and server share an origin; in
// production your web server does that (../reverse-proxy).
const target = process.env.VISITFLOW_SERVER ?? "http://127.0.0.1:8080";
const proxy = { "/api": { target, xfwd: true } };

export default defineConfig({
  plugins: [vue()],
  server: { proxy },
  preview: { proxy },
});
