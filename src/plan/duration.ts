// Durations as people write them: 500ms, 30s, 2m, 1h. Pure.

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

export const DURATION = /^\d{1,6}(\.\d{1,3})?(ms|s|m|h)$/;

/** Milliseconds, or undefined where the text is no duration, is zero, or is longer than setTimeout can wait. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  const unit = /[a-z]+$/.exec(text)?.[0] ?? '';
  const ms = Math.round(Number(text.slice(0, -unit.length)) * (UNIT_MS.get(unit) ?? 0));
  return ms > 0 && ms <= 2 ** 31 - 1 ? ms : undefined;
}
