// Calls wait in a queue until the script has loaded. If the visitor has consented before, the first of them is "grant".

window.visitflow = window.visitflow || function () {
  var call = arguments, answer = new Promise(function (done) { call.done = done; });
  answer.catch(function () {});
  (window.visitflow.q = window.visitflow.q || []).push(call);
  return answer;
};
if (localStorage.getItem("consent") === "granted") visitflow("grant");
