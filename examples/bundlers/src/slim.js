import wasm from "visitflow/visitflow.wasm"; // its bytes, by esbuild's loader "binary"
import { deny, event, grant, init } from "visitflow/slim";

const on = (id, act) => document.getElementById(id).addEventListener("click", act);

// Your banner remembers the decision; here it is asked anew on each load.
init({ wasm, consent: "pending" });
on("accept", grant);
on("decline", deny);
on("play", () => event("play", { level: 3 }));
on("next", () => history.pushState({}, "", "?page=2"));
