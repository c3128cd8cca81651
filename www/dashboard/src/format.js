// Numbers and dates as the reader's own locale writes them. A missing value is an em dash.

export const NOTHING = "—";

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const preciseShare = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 2 });
const change = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });
const points = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

const dateOf = (options) => {
  const format = new Intl.DateTimeFormat(undefined, options);
  return (date) => format.format(date);
};

export const count = (value) => (value === null ? NOTHING : whole.format(value));
export const compactCount = (value) => short.format(value);

/** Of a value that is already per cent; small ones keep a second digit. */
export const rate = (value) => {
  if (value === null) return NOTHING;
  return (Math.abs(value) < 10 ? preciseShare : percent).format(value / 100);
};

export const money = (value, currency) => {
  if (value === null || !currency) return value === null ? NOTHING : whole.format(value);
  return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(value);
};

/** Seconds as `45s`, `2m 05s` or `1h 12m`. */
export const duration = (value) => {
  if (value === null) return NOTHING;
  const seconds = Math.round(value);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${String(seconds % 60).padStart(2, "0")}s`;
  return `${Math.floor(minutes / 60)}h ${String(minutes % 60).padStart(2, "0")}m`;
};

export const relativeChange = (ratio) => change.format(Math.abs(ratio));
export const pointChange = (difference) => `${points.format(Math.abs(difference))} pts`;

export const dayShort = dateOf({ day: "numeric", month: "short" });
export const dayLong = dateOf({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
export const dayPlain = dateOf({ day: "numeric", month: "short", year: "numeric" });
export const hour = dateOf({ hour: "2-digit", minute: "2-digit" });
export const dayAndHour = dateOf({ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
export const clock = hour;

/** `1 visit`, `2 visits`. */
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
