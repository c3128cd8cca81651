// Commands wait in a queue until the script has arrived.

window.visitflow = window.visitflow || function () {
  (visitflow.q = visitflow.q || []).push(arguments);
};
