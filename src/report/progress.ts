// The one line that moves while a run goes on. A small state, folded from run events; the terminal is the caller's.
import type { RunEvent } from '../contract/run-event.js';
import { clean, displayWidth } from './layout.js';
import { paint, type Style, type Tone } from './style.js';
import { count, duration } from './words.js';

export interface Progress {
  readonly phase: 'starting' | 'asking' | 'looking-again' | 'judging' | 'finished';
  /** Checks that this machine asks, later all of the run, and how many of them have their answer or their silence. */
  readonly total: number;
  readonly done: number;
  /** Without a good answer so far; the second look may still change it. */
  readonly failing: number;
  /** What is awaited, as far as an event named it: a check's id or a second look. */
  readonly awaited?: string;
  /** Milliseconds since the run began, of the last event. */
  readonly elapsedMs: number;
}

export const noProgress: Progress = { phase: 'starting', total: 0, done: 0, failing: 0, elapsedMs: 0 };

/** `profile/flow/role/host/carrier-port` without the profile: what a person recognises. */
function shortId(id: string): string {
  return id.slice(id.indexOf('/') + 1);
}

export function foldProgress(state: Progress, event: RunEvent): Progress {
  const { awaited, ...settled } = state;
  const elapsedMs = Math.max(state.elapsedMs, event.t);
  switch (event.event) {
    case 'started':
      return { phase: 'asking', total: event.asked, done: 0, failing: 0, elapsedMs };
    case 'attempt': {
      // The second look asks again what was counted before; only the first pass counts.
      if (state.phase !== 'asking') return { ...state, elapsedMs };
      const [first] = event.checks;
      if (event.retrying) return { ...settled, elapsedMs, ...(first === undefined ? {} : { awaited: shortId(first) }) };
      const { kind } = event.outcome;
      const good = kind === 'answered' || kind === 'sent' || kind === 'unable';
      const still = awaited !== undefined && !event.checks.some((check) => shortId(check) === awaited);
      return {
        ...settled,
        elapsedMs,
        done: Math.min(state.total, state.done + event.checks.length),
        failing: state.failing + (good ? 0 : event.checks.length),
        ...(still ? { awaited } : {}),
      };
    }
    case 'diagnosing':
      return { ...settled, phase: 'looking-again', elapsedMs, awaited: shortId(event.check) };
    case 'check': {
      // Final verdicts replace what the first pass counted.
      const first = state.phase !== 'judging';
      const failed = event.check.result === 'fail' && event.check.required ? 1 : 0;
      return {
        ...settled,
        phase: 'judging',
        elapsedMs,
        done: first ? 1 : Math.min(state.total, state.done + 1),
        failing: (first ? 0 : state.failing) + failed,
      };
    }
    case 'finished':
      return { ...settled, phase: 'finished', elapsedMs, failing: event.summary.required.fail, done: state.total };
  }
}

/**
 * One line, without its newline, never wider than the style. `elapsedMs` lets a clock move the line between events. What
 * fits least is left out first: what is awaited, then the rest from its end.
 */
export function progressLine(state: Progress, style: Style, elapsedMs = state.elapsedMs): string {
  const waiting = state.total - state.done;
  const parts: { text: string; tone: Tone }[] = [];
  if (state.phase === 'starting') parts.push({ text: 'preparing', tone: 'plain' });
  else
    parts.push({
      text: `${state.done}/${state.total} ${state.phase === 'judging' ? 'judged' : 'done'}`,
      tone: 'strong',
    });
  parts.push({ text: duration(Math.floor(elapsedMs / 100) * 100), tone: 'plain' });
  if (state.failing > 0) parts.push({ text: failingWords(state), tone: 'bad' });
  if (state.phase === 'asking' && waiting > 0) parts.push({ text: `${waiting} to go`, tone: 'plain' });
  if (state.phase === 'looking-again') parts.push({ text: 'second look', tone: 'plain' });
  if (state.awaited !== undefined) parts.push({ text: `awaiting ${clean(state.awaited)}`, tone: 'faint' });
  return fitted(parts, style);
}

function failingWords({ phase, failing }: Progress): string {
  return phase === 'judging' || phase === 'finished'
    ? `${count(failing, 'flow')} failing`
    : `${failing} failing so far`;
}

function fitted(parts: readonly { readonly text: string; readonly tone: Tone }[], style: Style): string {
  let room = style.width;
  const shown: string[] = [];
  for (const { text, tone } of parts) {
    const wanted = displayWidth(text) + (shown.length > 0 ? 2 : 0);
    if (wanted > room) {
      const short = shortened(text, room - (shown.length > 0 ? 2 : 0));
      if (short !== '') shown.push(paint(short, tone, style));
      break;
    }
    room -= wanted;
    shown.push(paint(text, tone, style));
  }
  return shown.join('  ');
}

/** The beginning with three dots, or nothing where too little would be left to read. */
function shortened(text: string, width: number): string {
  if (width < 12) return '';
  let short = '';
  let used = 0;
  for (const character of text) {
    const wide = displayWidth(character);
    if (used + wide > width - 3) break;
    short += character;
    used += wide;
  }
  return `${short}...`;
}
