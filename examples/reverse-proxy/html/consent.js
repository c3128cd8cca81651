// Calls wait in a queue until the script has arrived; a decision that is remembered is the first.

window.visitflow = window.visitflow || function () {
  (visitflow.q = visitflow.q || []).push(arguments);
};
if (localStorage.getItem("consent") === "granted") visitflow("grant");
