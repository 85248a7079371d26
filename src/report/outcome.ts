// One probe by hand: its verdict, what was seen, and with --verbose what went over the wire.
import { printable } from '../bytes/text.js';
import type { Evidence } from '../contract/evidence.js';
import type { Fact, Timings, WireEvent } from '../contract/outcome.js';
import type { ReportedCheck } from '../contract/report.js';
import { definitions, paragraph, usableWidth, type Line, type Part } from './layout.js';
import type { Style } from './style.js';
import { toneOf } from './table.js';
import { count, duration, endpoint, verdictWords } from './words.js';

const hang = 10;

/** `wire`: events of the attempts to be shown, in their order; none where nobody asked for them. */
export function outcomeView(check: ReportedCheck, style: Style, wire: readonly WireEvent[] = []): string {
  const sections = [verdict(check, style), seen(check, style), wireLines(wire, style)];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function strong(text: string): Part {
  return { text, tone: 'strong' };
}

function verdict(check: ReportedCheck, style: Style): string[] {
  const label: Part = { text: check.result.toUpperCase(), tone: toneOf(check.result) };
  const target = endpoint(check.to, check.carrier);
  return [
    ...paragraph(
      [strong(check.probe), ` ${target}: `, { text: verdictWords(check), tone: toneOf(check.result) }],
      style,
      {
        hang,
        label,
      },
    ),
    ...paragraph(check.summary, style, { hang }),
    ...(check.warning === undefined ? [] : paragraph([strong('Warning:'), ' ', check.warning], style, { hang })),
    ...(check.advice === undefined ? [] : paragraph([strong('Next:'), ' ', check.advice], style, { hang })),
  ];
}

function factText(fact: Fact): string {
  return typeof fact === 'object' ? fact.join(', ') : String(fact);
}

const steps: readonly (readonly [keyof Timings, string])[] = [
  ['resolveMs', 'resolve'],
  ['connectMs', 'connect'],
  ['tlsMs', 'tls'],
  ['replyMs', 'reply'],
];

/** Facts, times and evidence below each other, in one pair of columns. */
function seen(check: ReportedCheck, style: Style): string[] {
  const facts = Object.entries(check.facts).map(([name, fact]): readonly [string, string] => [name, factText(fact)]);
  const times = steps.flatMap(([key, word]): (readonly [string, string])[] => {
    const ms = check.timings[key];
    return ms === undefined ? [] : [[word, duration(ms)]];
  });
  const evidence = check.evidence.map((each): readonly [string, string] => [each.kind, evidenceWords(each)]);
  const whole: readonly [string, string] = ['in all', `${duration(check.durationMs)}, ${askedWords(check.attempts)}`];
  const width = Math.max(...[...facts, ...times, ...evidence, whole].map(([term]) => term.length));
  const block = (title: string, rows: readonly (readonly [string, string])[]): string[] =>
    rows.length === 0
      ? []
      : [
          ...paragraph(strong(title), style),
          ...definitions(
            rows.map(([term, text]) => [term.padEnd(Math.min(width, 24)), text] as const),
            style,
            2,
          ),
        ];
  return [...block('Facts', facts), ...block('Evidence', evidence), ...block('Times', [...times, whole])];
}

function askedWords(attempts: number): string {
  if (attempts === 0) return 'never asked';
  return attempts === 1 ? 'asked once' : `asked ${attempts} times`;
}

function evidenceWords(evidence: Evidence): string {
  switch (evidence.kind) {
    case 'icmp':
      return `type ${evidence.type} code ${evidence.code} from ${evidence.from}${ttlWords(evidence.ttl)}`;
    case 'reset':
      return `while ${evidence.phase === 'connect' ? 'connecting' : 'talking'}${ttlWords(evidence.ttl)}`;
    case 'alive':
      return `${evidence.address}, by ${evidence.by}${ttlWords(evidence.ttl)}`;
    case 'path': {
      const hops = evidence.hops.map((hop) => `${hop.hop} ${hop.address ?? '*'}`).join(', ');
      return `${hops}${evidence.reached ? ', reached' : ', not reached'}`;
    }
    case 'control':
      return `port ${evidence.port}, which should be ${evidence.role}: ${evidence.outcome.kind}`;
    case 'acked':
      return `${evidence.acked} of ${count(evidence.sent, 'byte')} acknowledged`;
    case 'tls':
      return [
        ...(evidence.subject === undefined ? [] : [`subject ${evidence.subject}`]),
        ...(evidence.issuer === undefined ? [] : [`issuer ${evidence.issuer}`]),
        ...(evidence.pin === undefined ? [] : [`pin ${evidence.pin}`]),
        ...(evidence.bySiteCa === undefined ? [] : [evidence.bySiteCa ? 'by the site CA' : 'not by the site CA']),
      ].join(', ');
    case 'size':
      return [evidence.small, evidence.large]
        .map(({ bytes, answered }) => `${count(bytes, 'byte')} ${answered ? 'answered' : 'not answered'}`)
        .join(', ');
    case 'receipt':
      return evidence.arrived ? `arrived from ${evidence.from ?? 'here'}` : 'did not arrive';
  }
}

function ttlWords(ttl: number | undefined): string {
  return ttl === undefined ? '' : `, TTL ${ttl}`;
}

function wireLines(wire: readonly WireEvent[], style: Style): string[] {
  if (wire.length === 0) return [];
  return [...paragraph(strong('Wire'), style), ...wire.flatMap((event) => wireEvent(event, style))];
}

const wireHang = 14;
/** Less than the hanging indent, so that 16 bytes fit into 80 columns. */
const hexIndent = 8;

function wireEvent(event: WireEvent, style: Style): string[] {
  const label = `  ${duration(event.t).padStart(9)}`;
  const line = (text: Line): string[] => paragraph(text, style, { hang: wireHang, label });
  if (event.kind !== 'sent' && event.kind !== 'received') {
    return line(event.kind === 'note' ? event.text : `${event.kind} ${event.text}`.trim());
  }
  const arrow = event.kind === 'sent' ? '->' : '<-';
  const size = `${arrow} ${event.kind} ${count(event.bytes, 'byte')}`;
  if (event.hex !== undefined) return [...line(size), ...hexLines(event.hex, event.bytes, style)];
  return event.text === undefined ? line(`${size}, secret`) : line(`${size}: ${event.text}`);
}

/** Offset, bytes, characters: 16, 8 or 4 bytes in a line, as many as fit. */
function hexLines(hex: string, total: number, style: Style): string[] {
  const bytes = Buffer.from(hex, 'hex');
  const width = usableWidth(style);
  const lineWidth = (count: number): number => 7 + 4 * count;
  const perLine = [16, 8].find((each) => lineWidth(each) <= width) ?? 4;
  const indent = Math.min(hexIndent, width - lineWidth(perLine));
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += perLine) {
    const part = bytes.subarray(at, at + perLine);
    const codes = Array.from(part, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const offset = at.toString(16).padStart(4, '0');
    lines.push(`${' '.repeat(indent)}${offset}  ${codes.padEnd(perLine * 3 - 1)}  ${printable(part)}`);
  }
  if (bytes.length < total) lines.push(`${' '.repeat(indent)}and ${count(total - bytes.length, 'byte')} more`);
  return lines;
}
