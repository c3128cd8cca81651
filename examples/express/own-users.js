// A site that checks passwords itself, and leaves the sessions to visitflow. See README.md.
import express from "express";
import { sessions } from "visitflow/server";

const { PORT = "3000", SITE = `http://127.0.0.1:${PORT}`, VISITFLOW_SERVER = "http://127.0.0.1:8080", SESSIONS_KEY } = process.env;
const visitflow = sessions({ endpoint: VISITFLOW_SERVER, key: SESSIONS_KEY });

const users = [{ id: "17", name: "ada", password: "correct horse" }]; // in place of your database and its hashes
const app = express();

app.use((request, response, next) => {
  response.set("Cache-Control", "private, no-store");
  if (request.method === "POST" && request.get("Origin") !== SITE) response.sendStatus(403); // sent by another site
  else next();
});

app.get("/sign-in", (request, response) => {
  response.send(`<form method="post" action="/login">${"wrong" in request.query ? "Wrong name or password." : ""}
    <input name="name"> <input name="password" type="password"> <button>Sign in</button></form>`);
});

app.post("/login", express.urlencoded(), async (request, response) => {
  const { name, password } = request.body ?? {};
  const user = users.find((user) => user.name === name && user.password === password);
  if (!user) return response.redirect("/sign-in?wrong");
  const { setCookie } = await visitflow.bind(request, user.id);
  response.append("Set-Cookie", setCookie).redirect("/account");
});

app.post("/logout", async (request, response) => {
  const { setCookie } = await visitflow.unbind(request);
  response.append("Set-Cookie", setCookie).redirect("/sign-in");
});

const signedIn = visitflow.express({
  require: "user",
  onUnauthorized: (request, response) => response.redirect("/sign-in"),
  onUnknown: (request, response) => {
    response.status(503).set("Retry-After", request.visitflow.retryAfter).send("Please try again in a moment.");
  },
});

app.get("/account", signedIn, (request, response) => {
  const user = users.find(({ id }) => id === request.visitflow.user);
  if (!user) return response.redirect("/sign-in"); // a user of visitflow (u_…), or one that you have removed
  response.send(`Signed in as ${user.name} <form method="post" action="/logout"><button>Sign out</button></form>`);
});

app.listen(PORT, "127.0.0.1", () => console.log(SITE));
