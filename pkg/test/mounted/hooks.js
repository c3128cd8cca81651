// How modules are found for a page of a test: "visitflow" is client.js, each page (`?page=…`) has modules of its own,
// and Svelte is that of a browser, unless the page is the server's.

import { readFileSync } from "node:fs";
import { compile } from "svelte/compiler";

const CLIENT = new URL("client.js", import.meta.url).href;

const pageOf = (url) => new URL(url ?? "file:///").searchParams.get("page");

export async function resolve(name, context, next) {
  const page = pageOf(context.parentURL);
  if (name === "visitflow") return { url: `${CLIENT}?page=${page}`, shortCircuit: true };
  const isBrowser = page && page !== "server" && /^svelte\b/.test(name);
  const found = await next(name, isBrowser ? { ...context, conditions: [...context.conditions, "browser"] } : context);
  return page && /^(\.|visitflow\/)/.test(name) ? { ...found, url: `${found.url}?page=${page}` } : found;
}

export async function load(url, context, next) {
  const { pathname } = new URL(url);
  if (!pathname.endsWith(".svelte")) return next(url, context);
  const generate = pageOf(url) === "server" ? "server" : "client";
  const { js } = compile(readFileSync(pathname, "utf8"), { filename: pathname, generate });
  return { format: "module", source: js.code, shortCircuit: true };
}
