// What the page does with visitflow.

const show = async () => {
  if (!visitflow.snapshot) return;
  document.getElementById("snapshot").textContent = JSON.stringify(await visitflow.snapshot(), null, 2);
};
const on = (id, act) => document.getElementById(id).addEventListener("click", act);

// visitflow does not remember the choice: the page does.
const choose = (choice) => {
  localStorage.setItem("consent", choice);
  visitflow({ granted: "grant", denied: "deny", pending: "revoke" }[choice]);
};
if (localStorage.getItem("consent") === "granted") visitflow("grant");

on("accept", () => choose("granted"));
on("decline", () => choose("denied"));
on("change", () => choose("pending"));
on("play", () => visitflow("event", "play", { level: 3 }));
setInterval(show, 1000);
