// visitflow does not remember the decision: the page does.

const decide = (consent, command) => () => {
  localStorage.setItem("consent", consent);
  visitflow(command);
};
document.getElementById("accept").addEventListener("click", decide("granted", "grant"));
document.getElementById("decline").addEventListener("click", decide("denied", "deny"));
