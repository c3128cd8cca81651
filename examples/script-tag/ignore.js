// A switch by which the owner of a site excludes a browser.

const box = document.getElementById("ignored");
const failure = document.getElementById("failure");
const isIgnored = () => /(^|; )visitflow_ignore=1/.test(document.cookie);

box.checked = isIgnored();
box.addEventListener("change", async () => {
  failure.textContent = "";
  try {
    await visitflow.ignoreMe(box.checked);
  } catch (error) {
    failure.textContent = error.message;
  }
  box.checked = isIgnored();
});
