// All that is stored of a visitor: asked page by page, and put together.

/** What a visit holds lists of. */
export const WITHIN = ["page_views", "events", "orders", "refunds", "sessions"];

/** Everything, by `ask(query)`, which gives the answer to one page. */
export async function everything(ask) {
  let all, next;
  do {
    const page = await ask(next ? "?after=" + encodeURIComponent(next) : "");
    all = all ? joined(all, page) : page;
    next = page.next;
  } while (next);
  const { next: _, ...told } = all;
  return told;
}

/** Two pages as one. A visit that is larger than a page goes on in the next, under the same id. */
function joined(before, page) {
  const visits = new Map(before.visits.map((visit) => [visit.id, visit]));
  for (const visit of page.visits) {
    const begun = visits.get(visit.id);
    visits.set(visit.id, begun ? { ...visit, ...lists(begun, visit) } : visit);
  }
  const both = (name) => [...before[name], ...page[name]];
  return { ...page, visits: [...visits.values()], orders: both("orders"), refunds: both("refunds") };
}

const lists = (begun, visit) =>
  Object.fromEntries(WITHIN.map((name) => [name, [...(begun[name] ?? []), ...(visit[name] ?? [])]]));
