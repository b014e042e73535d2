// Figures and times as people read them.

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const COUNT = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const UNKNOWN = "–";

/** A whole or nearly whole number. */
export const count = (value) => (value === null || value === undefined ? UNKNOWN : COUNT.format(value));

/** A large number in few characters. */
export const short = (value) => (value === null || value === undefined ? UNKNOWN : SHORT.format(value));

/** Milliseconds. */
export function duration(ms) {
  if (ms === null || ms === undefined) return UNKNOWN;
  if (ms === 0) return "0";
  if (ms < 1) return "< 1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`;
  return `${Math.floor(ms / 86_400_000)} d ${Math.round((ms % 86_400_000) / 3_600_000)} h`;
}

/** Dollars, with the digits that small sums need. */
export function dollars(value) {
  if (value === null || value === undefined) return UNKNOWN;
  if (value === 0) return "$0";
  const digits = Math.abs(value) >= 1 ? 2 : Math.min(6, 2 - Math.floor(Math.log10(Math.abs(value))));
  return `$${value.toFixed(digits)}`;
}

/** A value on an axis: as short as can be. */
export const rounded = (value) => Number(value.toPrecision(2));

/** A share of 0 to 1. */
export const percent = (share) => (share === null || share === undefined ? UNKNOWN : `${COUNT.format(share * 100)} %`);

/** Bytes. */
export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const step = value ? Math.min(Math.floor(Math.log2(value) / 10), 4) : 0;
  return `${COUNT.format(value / 1024 ** step)} ${units[step]}`;
}

/** A moment, Unix seconds: the time today, else the day as well. */
export function moment(seconds) {
  if (!seconds) return UNKNOWN;
  const date = new Date(seconds * 1000);
  const today = new Date().toDateString() === date.toDateString();
  return today ? CLOCK.format(date) : `${DAY.format(date)}, ${CLOCK.format(date)}`;
}

/** Sums of an object's values. */
export const sum = (values) => Object.values(values ?? {}).reduce((total, value) => total + value, 0);

/** An id in few characters; the whole one belongs into a title. */
export const brief = (id) => (id && id.length > 16 ? `${id.slice(0, id.indexOf("_") + 9)}…` : id ?? UNKNOWN);
