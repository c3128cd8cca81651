/** The functions of the script tag, whether it has arrived or not. */
const command = (name) => () => {
  window.visitflow = window.visitflow || function () {
    var call = arguments, answer = new Promise(function (done) { call.done = done; });
    answer.catch(function () {});
    (window.visitflow.q = window.visitflow.q || []).push(call);
    return answer;
  };
  window.visitflow(name);
};

export const tag = { grant: command("grant"), deny: command("deny") };
