// A visitflow server that answers what a test wants.

import { createServer } from "node:http";

export const TOKEN = `s_${"A".repeat(22)}.${"b".repeat(43)}`;
export const ACTIVE = {
  active: true, sub: "ada", sid: "A".repeat(22), iat: 1790000000, exp: 1790001800,
  visitor_id: "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80", site: "shop.example", generation: 2,
};

/** An answer with this status, body and headers. */
export const says = (status, body, headers = {}) => (request, response) =>
  response.writeHead(status, headers).end(body && JSON.stringify(body));

/** Starts it. `asked` is what it was asked; `answer` is what it does with a request. */
export async function standIn() {
  const stand = {
    reset() {
      stand.asked = [];
      stand.answer = says(200, ACTIVE);
    },
    close() {
      listener.closeAllConnections();
      listener.close();
    },
  };
  const listener = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    stand.asked.push({ path: `${request.method} ${request.url}`, key: request.headers.authorization, body: body && JSON.parse(body) });
    stand.answer(request, response);
  });
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  stand.endpoint = `http://127.0.0.1:${listener.address().port}/`;
  stand.reset();
  return stand;
}
