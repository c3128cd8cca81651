/** The functions of the script tag, whether it has arrived or not. */
const command = (name) => () => {
  window.visitflow ??= Object.assign((...args) => window.visitflow.q.push(args), { q: [] });
  window.visitflow(name);
};

export const tag = { grant: command("grant"), deny: command("deny") };
