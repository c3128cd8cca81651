// Numbers and dates as the reader's own locale writes them. A missing value is an em dash.

export const NOTHING = "—";

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const preciseShare = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 2 });
const change = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });
const manyfold = new Intl.NumberFormat(undefined, { style: "percent", notation: "compact", maximumFractionDigits: 1 });
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
  if (value === null) return NOTHING;
  return currency ? moneyFormat(currency).format(value) : whole.format(value);
};

const moneyFormats = new Map();
function moneyFormat(currency) {
  if (!moneyFormats.has(currency)) {
    moneyFormats.set(currency, new Intl.NumberFormat(undefined, { style: "currency", currency }));
  }
  return moneyFormats.get(currency);
}

/** From how many characters on a figure is written smaller, and smaller still. */
const LONG = 11;
const LONGER = 17;

/** Writes a figure into an element: long ones smaller, and with places where a line may break. */
export function writeInto(element, text) {
  element.classList.toggle("long", text.length >= LONG && text.length < LONGER);
  element.classList.toggle("longer", text.length >= LONGER);
  const groups = text.split(/(?<=[.,'’\s])(?=\d{3})/u);
  element.replaceChildren(...groups.flatMap((group, index) => (index === 0 ? [group] : [document.createElement("wbr"), group])));
}

/** Seconds as `45s`, `2m 05s` or `1h 12m`. */
export const duration = (value) => {
  if (value === null) return NOTHING;
  const seconds = Math.round(value);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${String(seconds % 60).padStart(2, "0")}s`;
  return `${Math.floor(minutes / 60)}h ${String(minutes % 60).padStart(2, "0")}m`;
};

export const relativeChange = (ratio) => (Math.abs(ratio) < 100 ? change : manyfold).format(Math.abs(ratio));
export const pointChange = (difference) => `${points.format(Math.abs(difference))} pts`;

export const dayShort = dateOf({ day: "numeric", month: "short" });
export const dayLong = dateOf({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
export const dayPlain = dateOf({ day: "numeric", month: "short", year: "numeric" });
export const hour = dateOf({ hour: "2-digit", minute: "2-digit" });
export const dayAndHour = dateOf({ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
export const clock = hour;

/** `1 visit`, `2 visits`. */
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
