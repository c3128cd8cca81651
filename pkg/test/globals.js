// Who reads what a page has, where there is none.

const globals = ["window", "document", "navigator", "location", "history", "fetch", "localStorage"];

/** What runs, and who of the package reads a global meanwhile; React may. */
export async function watched(run) {
  const kept = globals.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
  const read = [];
  for (const name of globals) {
    Object.defineProperty(globalThis, name, { configurable: true, get: () => void read.push(new Error(name).stack) });
  }
  try {
    const result = await run();
    return [result, read.filter((stack) => !stack.split("\n")[2].includes("/node_modules/"))];
  } finally {
    for (const [name, property] of kept) {
      delete globalThis[name];
      if (property) Object.defineProperty(globalThis, name, property);
    }
  }
}
