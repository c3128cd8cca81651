// Calls wait in a queue until the script has loaded. Each returns a promise of its result.

window.visitflow = window.visitflow || function () {
  var call = arguments, answer = new Promise(function (done) { call.done = done; });
  answer.catch(function () {});
  (window.visitflow.q = window.visitflow.q || []).push(call);
  return answer;
};
