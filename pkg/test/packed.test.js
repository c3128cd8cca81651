// The package as it is installed: packed by npm, unpacked into a node_modules of its own.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const here = fileURLToPath(new URL("..", import.meta.url));
const project = mkdtempSync(join(tmpdir(), "visitflow-packed-"));
const installed = join(project, "node_modules/visitflow");

before(() => {
  execFileSync("npm", ["pack", "--pack-destination", project], { cwd: here, stdio: "pipe" });
  const [tarball] = readdirSync(project).filter((name) => name.endsWith(".tgz"));
  mkdirSync(join(project, "node_modules/@types"), { recursive: true });
  mkdirSync(installed);
  execFileSync("tar", ["-xzf", join(project, tarball), "-C", installed, "--strip-components=1"]);
  for (const name of ["react", "@types/react", "@types/express", "@types/node", "csstype", "hono", "fastify", "vue", "svelte"]) {
    symlinkSync(join(here, "node_modules", name), join(project, "node_modules", name));
  }
  writeFileSync(join(project, "package.json"), `{ "type": "module" }`);
});

after(() => rmSync(project, { recursive: true }));

test("publint has nothing to say", async () => {
  const { messages, pkg } = await publint({ pkgDir: installed, pack: false, strict: true });
  assert.deepEqual(messages.map((message) => formatMessage(message, pkg, { color: false })), []);
});

test("every entry is in the tarball, and so is the licence", () => {
  const { exports, main, module } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  const files = (entry) => (typeof entry === "string" ? [entry] : Object.values(entry).flatMap(files));
  for (const file of [...files(exports), main, module]) readFileSync(join(installed, file));
  const licence = (folder) => readFileSync(join(folder, "LICENSE"), "utf8");
  assert.equal(licence(installed), licence(join(here, "..")));
});

/** What a file of this name prints in Node.js. */
const run = (name, text) => {
  writeFileSync(join(project, name), text);
  return execFileSync(process.execPath, [name], { cwd: project, encoding: "utf8" });
};

test("Node finds both imports, and they share one client", () => {
  const told = run(
    "app.js",
    `import * as visitflow from "visitflow";
    import * as react from "visitflow/react";
    console.log(Object.keys(visitflow).length, Object.keys(react).sort().join(" "));
    console.log(import.meta.resolve("visitflow").endsWith("/dist/node.js"));`,
  );
  assert.equal(told, "18 Sessions VisitflowProvider YourData useConsent useUser useVisitflow\ntrue\n");
});

const ENTRIES = ["", "/slim", "/consent/google", "/consent/tcf", "/react", "/vue", "/server"].map((path) => `visitflow${path}`);

test("require gives the functions that import gives, and one provider for both", () => {
  const told = run(
    "app.cjs",
    `const React = require("visitflow/react");
    for (const entry of ${JSON.stringify(ENTRIES)}) {
      import(entry).then((imported) => {
        const names = Object.keys(require(entry)).filter((name) => name !== "__esModule");
        console.log(entry, names.sort().join() === Object.keys(imported).sort().join());
        if (entry === "visitflow/react") console.log(imported.VisitflowProvider === React.VisitflowProvider);
      });
    }`,
  );
  const lines = ENTRIES.map((entry) => `${entry} true`);
  assert.deepEqual(told.trim().split("\n").sort(), [...lines, "true"].sort());
});

test("consent managers are followed in pages alone", () => {
  const told = run(
    "managers.js",
    `import { googleConsent } from "visitflow/consent/google";
    import { tcfConsent } from "visitflow/consent/tcf";
    import * as visitflow from "visitflow";
    for (const follow of [googleConsent, tcfConsent]) console.log(typeof follow(visitflow), follow(visitflow)());`,
  );
  assert.equal(told, "function undefined\nfunction undefined\n");
});

const PAGE = `
  import * as visitflow from "visitflow";
  import type { Consent, Snapshot } from "visitflow";
  visitflow.init({ consent: "pending" });
  const told: Promise<Snapshot> = visitflow.snapshot();
  void told;
  // @ts-expect-error consent is one of three words
  const consent: Consent = "yes";
  void consent;
`;

const EVENTS = `
  import * as client from "visitflow";
  import type { Visitflow, VisitflowTag } from "visitflow";
  import { useVisitflow } from "visitflow/react";

  interface Signup { plan: string }
  interface Events { signup: Signup; play: { level?: number }; search: undefined }
  const signup: Signup = { plan: "pro" };

  client.event("signup", signup); // an interface
  const any: Visitflow = client;
  any.event("signup", signup);

  const visitflow: Visitflow<Events> = client;
  const { event } = useVisitflow<Events>();
  const tag = window.visitflow as VisitflowTag<Events>;
  for (const tell of [visitflow.event, event, tag.event]) {
    tell("signup", signup);
    tell("play");
    tell("play", { level: 3 });
    tell("search");
    // @ts-expect-error a property is missing
    tell("signup");
    // @ts-expect-error a property of another type
    tell("signup", { plan: 1 });
    // @ts-expect-error one property too many
    tell("signup", { plan: "pro", colour: "red" });
    // @ts-expect-error no such event
    tell("sign-up", { plan: "pro" });
    // @ts-expect-error this event has no properties
    tell("search", {});
  }
  tag("event", "signup", signup);
  // @ts-expect-error no such event
  tag("event", "sign-up");
`;

const COMPONENTS = `
  import { useEffect, type ReactNode } from "react";
  import { Sessions, VisitflowProvider, YourData, useConsent, useUser, useVisitflow } from "visitflow/react";
  import type { ConsentState, VisitflowFunctions } from "visitflow/react";

  export const App = ({ children }: { children: ReactNode }) => (
    <VisitflowProvider
      options={{ endpoint: "https://stats.example.com", beforeConsent: "anonymous" }}
      consent="pending"
      onConsentChange={(consent) => localStorage.setItem("consent", consent)}
    >
      {children}
      <Banner />
    </VisitflowProvider>
  );

  export function Account() {
    const { status, user, session, refresh } = useUser();
    // @ts-expect-error one of four words
    if (status === "active") return null;
    if (status === "signed-out") return <YourData texts={{ erase: "Löschen", visit: (site, date, pages) => [site, date.toISOString(), pages].join(" ") }} />;
    if (status === "unknown") return <button onClick={() => void refresh()}>{user ?? ""}</button>;
    return <Sessions texts={{ end: "Abmelden", lastActivity: (date) => date.toISOString() }} className={session?.session ?? ""} />;
  }

  export function Banner() {
    const { consent, grant, deny, revoke }: ConsentState = useConsent();
    const functions: VisitflowFunctions = useVisitflow();
    useEffect(() => functions.event("seen", { consent }), [functions, consent]);
    // @ts-expect-error the provider alone calls init
    functions.init();
    // @ts-expect-error consent is one of three words
    const wrong = <VisitflowProvider consent="yes" />;
    return consent === "pending" ? <button onClick={grant} onBlur={deny}>Yes</button> : <button onClick={() => void revoke()}>{wrong}</button>;
  }
`;

const OTHER_COMPONENTS = `
  import { createApp, ref } from "vue";
  import astro from "visitflow/astro";
  import * as page from "visitflow/astro/client";
  import type { ModuleOptions } from "visitflow/nuxt";
  import type { Consent } from "visitflow";
  import * as svelte from "visitflow/svelte";
  import { createVisitflow, useConsent, useUser, useVisitflow } from "visitflow/vue";
  interface Events { signup: { plan: string }; play: { level?: number }; search: undefined }

  const remembered = ref<Consent>();
  createApp({}).use(createVisitflow({ options: { site: "shop.example" }, consent: remembered, onConsentChange: (consent) => (remembered.value = consent) }));
  createVisitflow({ consent: () => "granted", rendered: null });
  // @ts-expect-error consent is one of three words
  createVisitflow({ consent: "yes" });
  const { consent, grant, revoke } = useConsent();
  const known: boolean = consent.value === "granted";
  // @ts-expect-error the functions change it
  consent.value = "granted";
  const user: string | null = useUser().user.value;
  for (const { event } of [useVisitflow<Events>(), svelte.useVisitflow<Events>()]) {
    event("signup", { plan: "pro" });
    event("play");
    event("search");
    const stored: Promise<void> = event("signup", { plan: "pro" }, { confirm: true });
    void stored;
    // @ts-expect-error a property is missing
    event("signup");
    // @ts-expect-error a property of another type
    event("signup", { plan: 1 });
    // @ts-expect-error no such event
    event("sign-up", { plan: "pro" });
    // @ts-expect-error this event has no properties
    event("search", {});
    // @ts-expect-error a property of another type
    event("signup", { plan: 1 }, { confirm: true });
  }
  useVisitflow().event("any", { plan: 1 });
  svelte.useVisitflow().event("any");
  // @ts-expect-error the plugin alone calls init
  useVisitflow().init();

  svelte.setVisitflow({ consent: () => remembered.value, onConsentChange: (consent: "granted" | "denied") => void consent });
  // @ts-expect-error consent is one of three words
  svelte.setVisitflow({ consent: "yes" });
  const visitor = svelte.useConsent();
  // @ts-expect-error the functions change it
  visitor.consent = "granted";
  const status: "loading" | "signed-in" | "signed-out" | "unknown" = svelte.useUser().status;
  // With rememberConsent a server does not know it.
  const unknown: undefined extends svelte.ConsentState["consent"] ? true : false = true;

  astro({ rememberConsent: true, capture: ["elements"] });
  // @ts-expect-error no such option
  astro({ rememberConsents: true });
  const end = page.consent.subscribe((consent: Consent) => void consent);
  const module: ModuleOptions = { site: "shop.example", consentCookie: "shop_consent" };
  // @ts-expect-error the module keeps the decision in a cookie
  module.rememberConsent = true;
  void [known, grant, revoke, user, status, visitor.deny, unknown, end, page.grant];
`;

const BACKEND = `
  import { sessions, type Session } from "visitflow/server";
  const { session, express, next } = sessions({ endpoint: "http://127.0.0.1:8080", key: "vf_key" });
  const of = async (request: Request): Promise<string | null> => {
    const found: Session = await session(request);
    if (found.state === "unknown") return String(found.retryAfter);
    // @ts-expect-error only an active session expires
    void found.expiresAt;
    return found.state === "active" ? found.expiresAt.toISOString() : found.user;
  };
  void of;
  void session({ headers: { cookie: "a=b" } });
  // @ts-expect-error "user" or nothing
  express({ require: "admin" });

  interface Parameters { params: Promise<{ id: string }> }
  export const GET = next.handler<Request, Parameters>(
    async (request, { params }) => new Response(request.visitflow.user.toUpperCase() + (await params).id),
    {
      require: "user",
      onUnauthorized: (request) => Response.redirect(new URL("/sign-in", request.url)),
      onUnknown: ({ url, visitflow }) => new Response(url, { status: 503, headers: { "retry-after": visitflow.retryAfter.toFixed() } }),
    },
  );
  export const POST = next.handler((request) => {
    // @ts-expect-error nobody may be signed in
    return new Response(request.visitflow.user.toUpperCase());
  });
  next.setCookies({ set: ({ name, value, ...options }) => void [name, value, options] }, ["a=b"]);
`;

const FRAMEWORKS = `
  import express from "express";
  import Fastify from "fastify";
  import { Hono } from "hono";
  import { sessions, type Session } from "visitflow/server";
  const visitflow = sessions({ endpoint: "http://127.0.0.1:8080", key: "vf_key" });

  declare global { namespace Express { interface Request { visitflow: Session } } }
  const app = express();
  const onUnknown: express.RequestHandler = (request, response) => void response.sendStatus(request.visitflow.state === "unknown" ? 503 : 500);
  app.get("/", visitflow.express({ require: "user", onUnknown }), (request, response) => void response.send(request.visitflow.user));

  const hono = new Hono<{ Variables: { visitflow: Session } }>();
  hono.use(visitflow.hono());
  hono.get("/", visitflow.hono({ require: "user", onUnauthorized: (c) => c.redirect("/sign-in") }), (c) => c.text(c.get("visitflow").user ?? ""));

  declare module "fastify" { interface FastifyRequest { visitflow: Session } }
  const fastify = Fastify();
  fastify.addHook("onRequest", visitflow.fastify());
  fastify.get("/", { onRequest: visitflow.fastify({ require: "user" }) }, async (request) => request.visitflow.user);
`;

/** What tsc says of these files. */
function compile(files, options) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
  const compilerOptions = {
    strict: true, noEmit: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true,
    target: "es2022", lib: ["es2022", "dom"], jsx: "react-jsx", types: [], ...options,
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: Object.keys(files) }));
  try {
    const tsc = join(here, "node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [tsc, "-p", "."], { cwd: project, encoding: "utf8" });
  } catch (error) {
    assert.fail(error.stdout || error.message);
  }
}

for (const [module, moduleResolution] of [["node16", "node16"], ["nodenext", "nodenext"], ["esnext", "bundler"]]) {
  test(`the types compile strictly with moduleResolution ${moduleResolution}`, () => {
    const files = { "page.ts": PAGE, "events.ts": EVENTS, "components.tsx": COMPONENTS, "backend.ts": BACKEND };
    compile(files, { module, moduleResolution });
  });
}

test("the types compile strictly in a project that is compiled to CommonJS", () => {
  const imports = ENTRIES.map((entry, n) => `import * as entry${n} from "${entry}"; void entry${n};`).join("\n");
  const files = { "page.cts": PAGE, "events.cts": EVENTS, "backend.cts": BACKEND, "entries.cts": imports };
  compile(files, { module: "node16", moduleResolution: "node16" });
});

test("the types for Vue and Svelte compile strictly", () => {
  const options = { module: "esnext", moduleResolution: "bundler", skipLibCheck: true };
  compile({ "other-components.ts": OTHER_COMPONENTS }, options);
});

test("the types of the kits fit those of the frameworks", () => {
  // The frameworks' own types are not judged here.
  const options = { module: "nodenext", moduleResolution: "nodenext", types: ["node"], skipLibCheck: true };
  compile({ "frameworks.ts": FRAMEWORKS }, options);
});
