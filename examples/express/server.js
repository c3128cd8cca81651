// A site with a page for signed-in users alone. See README.md.
import express from "express";
import { sessions } from "visitflow/server";

const endpoint = process.env.VISITFLOW_SERVER ?? "http://127.0.0.1:8080";
const visitflow = sessions({ endpoint, key: process.env.SESSIONS_KEY });

const app = express();

app.get("/", visitflow.express(), (request, response) => {
  const { state, user } = request.visitflow;
  response.set("Cache-Control", "private, no-store");
  if (state === "unknown") response.send("Welcome!"); // who it is shows when it is known again
  else response.send(user ? `Welcome back, ${user}!` : "Welcome! Please sign in.");
});

app.get("/account", visitflow.express({ require: "user" }), (request, response) => {
  response.set("Cache-Control", "private, no-store").type("text").send(`The account of ${request.visitflow.user}`);
});

// The name of the option is one that other tools use, too: `node server.js --port 3000`.
const port = Number(process.argv[process.argv.indexOf("--port") + 1]) || 3000;
app.listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/`));
