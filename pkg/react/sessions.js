import { createElement as h, useCallback, useEffect, useState } from "react";
import { useVisitflow } from "./provider.js";
import { useUser } from "./user.js";

const TEXTS = {
  unknownDevice: "Unknown device",
  current: "This browser",
  lastActivity: (date) => `Last active ${date.toLocaleString()}`,
  end: "Sign out",
  endOthers: "Sign out everywhere else",
  failed: "Your sessions cannot be shown or changed at the moment. Please try again.",
};

export function Sessions({ texts, className = "visitflow-sessions" }) {
  const say = { ...TEXTS, ...texts };
  const { user, session } = useUser();
  const { sessions, endSession, logout } = useVisitflow();
  const [list, setList] = useState([]);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);

  const load = useCallback(
    () => sessions().then((list) => void (setList(list), setFailed(false)), () => setFailed(true)),
    [sessions],
  );
  // `session` is another object after each question: so this follows what other tabs do.
  useEffect(() => {
    if (user !== null) load();
  }, [load, user, session]);
  const act = async (change) => {
    setBusy(true);
    await change().then(load, () => setFailed(true));
    setBusy(false);
  };
  if (user === null) return null;

  const button = (text, change) => h("button", { type: "button", disabled: busy, onClick: () => act(change) }, text);
  const item = ({ session, device, current, lastActivity }) =>
    h("li", { key: session, "aria-current": current || undefined },
      h("strong", null, device ?? say.unknownDevice), " ",
      current && h("em", null, say.current), " ",
      h("time", { dateTime: lastActivity.toISOString() }, say.lastActivity(lastActivity)), " ",
      button(say.end, () => (current ? logout() : endSession(session))));
  return h("section", { className, "aria-busy": busy },
    h("ul", null, list.map(item)),
    list.length > 1 && button(say.endOthers, () => endSession({ others: true })),
    failed && h("p", { role: "alert" }, say.failed));
}
