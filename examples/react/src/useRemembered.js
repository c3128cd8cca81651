import { useEffect, useState } from "react";

/** A state that localStorage keeps, and that all tabs share. Nothing is written before it is set. */
export function useRemembered(key, fallback) {
  const [value, setValue] = useState(() => localStorage.getItem(key) ?? fallback);

  useEffect(() => {
    const follow = (change) => {
      if (change.key === key) setValue(change.newValue ?? fallback);
    };
    addEventListener("storage", follow);
    return () => removeEventListener("storage", follow);
  }, [key, fallback]);

  const remember = (next) => {
    localStorage.setItem(key, next);
    setValue(next);
  };
  return [value, remember];
}
