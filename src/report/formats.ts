// The one registry of report formats. A format is one file and one line here, and is loaded only when asked for.
import type { Report } from '../contract/report.js';
import type { RunEvent } from '../contract/run-event.js';
import type { Style } from './style.js';

/** The whole report, once, at the end. */
export type Render = (report: Report, style: Style) => string;
/** The same in parts, none of them large. */
export type RenderParts = (report: Report) => Iterable<string>;
/** One line for each run event, as it happens. */
export type RenderEvent = (event: RunEvent) => string;

export type Format =
  | { readonly kind: 'report'; readonly summary: string; readonly load: () => Promise<Render> }
  | { readonly kind: 'parts'; readonly summary: string; readonly load: () => Promise<RenderParts> }
  | { readonly kind: 'stream'; readonly summary: string; readonly load: () => Promise<RenderEvent> };

export const formats: ReadonlyMap<string, Format> = new Map<string, Format>([
  ['table', report('for a person at a terminal: failures first', async () => (await import('./table.js')).table)],
  [
    'json',
    parts('the whole report for programs (linecheck schema report)', async () => (await import('./json.js')).jsonParts),
  ],
  ['text', report('words alone, for screen readers and logs', async () => (await import('./text.js')).text)],
  ['markdown', report('for a job summary or a change request', async () => (await import('./markdown.js')).markdown)],
  ['github', report('annotations of a GitHub job, at the site file', async () => (await import('./github.js')).github)],
  ['junit', report('test cases for CI systems', async () => (await import('./junit.js')).junit)],
  [
    'nagios',
    report('a line for Nagios and its kin (with --exit nagios)', async () => (await import('./nagios.js')).nagios),
  ],
  [
    'prometheus',
    report(
      "metrics for the node exporter's textfile collector",
      async () => (await import('./prometheus.js')).prometheus,
    ),
  ],
  ['ndjson', stream('one run event a line, as it happens', async () => (await import('./json.js')).ndjson)],
]);

function report(summary: string, load: () => Promise<Render>): Format {
  return { kind: 'report', summary, load };
}

function parts(summary: string, load: () => Promise<RenderParts>): Format {
  return { kind: 'parts', summary, load };
}

function stream(summary: string, load: () => Promise<RenderEvent>): Format {
  return { kind: 'stream', summary, load };
}
