// Times of a report as numbers. Pure arithmetic: this room reads no clock.

// RFC 3339 §5.6, as reports write it: UTC, with or without a fraction.
const timestamp = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?Z$/;

/** Days from 1970-01-01 to a date of the Gregorian calendar. */
function daysSince1970(year: number, month: number, day: number): number {
  // Counted from March the leap day is the last of the year, and 400 years have 146,097 days.
  const shifted = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const leapDays = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400);
  return 365 * shifted + leapDays + dayOfYear - 719_468;
}

/** Seconds since 1970 of an ISO 8601 time in UTC, to the millisecond; undefined for anything else. */
export function epochSeconds(text: string): number | undefined {
  const [, year, month, day, hour, minute, second, fraction = ''] = timestamp.exec(text) ?? [];
  if (year === undefined) return undefined;
  const days = daysSince1970(Number(year), Number(month), Number(day));
  const whole = ((days * 24 + Number(hour)) * 60 + Number(minute)) * 60 + Number(second);
  return whole + Number(`0${fraction}`);
}

/** Milliseconds as decimal seconds, `0.0124`, to the microsecond. */
export function seconds(ms: number): string {
  return String(Number((ms / 1000).toFixed(6)));
}
