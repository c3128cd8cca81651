// From a selection to the instants a report is about, in the browser's own time zone.

/** At most as many days as a time series may have points. */
export const MAX_DAYS = 1000;

/** The browser's IANA time zone, for `?tz=`. */
export const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/**
 * The period of a selection: `from` and `to` as days for the API (`to` excluded), the same as
 * dates, and the `previous` one of equal length. A period that is still running is compared with
 * the same part of the previous one: a half day against a whole one would always look bad.
 */
export function periodOf(selection, now = new Date()) {
  const today = startOfDay(now);
  const custom = selection.range === "custom";
  const length = selection.range === "today" ? 1 : Number(selection.range);
  const first = custom ? parseDay(selection.from) : addDays(today, 1 - length);
  const end = custom ? addDays(parseDay(selection.to), 1) : addDays(today, 1);
  const days = daysBetween(first, end);
  const running = first <= now && now < end;
  const previousEnd = running ? addDays(now, -days) : first;
  return {
    first,
    end,
    days,
    running,
    from: dayText(first),
    to: dayText(end),
    previous: { from: instant(addDays(first, -days)), to: instant(previousEnd) },
  };
}

/** `YYYY-MM-DD` in the browser's time zone. */
export function dayText(date) {
  const pad = (number) => String(number).padStart(2, "0");
  return `${String(date.getFullYear()).padStart(4, "0")}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** Whole calendar days between two midnights; rounding absorbs the hour of a clock change. */
export function daysBetween(first, end) {
  return Math.round((end - first) / 86_400_000);
}

export function parseDay(text) {
  const [year, month, day] = text.split("-").map(Number);
  return new Date(year, month - 1, day);
}

/** The same time of day, some days later: calendar days, not multiples of 24 hours. */
export function addDays(date, days) {
  const moved = new Date(date);
  moved.setDate(moved.getDate() + days);
  return moved;
}

function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate());
}

function instant(date) {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}
