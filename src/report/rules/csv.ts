// Rules as a table for spreadsheets and programs (RFC 4180): one line a rule, and one for each flow without a rule.
import type { Rule, RuleEnd, RuleFlow, RuleSet, Unwritten } from '../../contract/rule.js';
import { clean } from '../layout.js';

const COLUMNS = [
  'action',
  'kind',
  'direction',
  'family',
  'source',
  'source name',
  'source role',
  'source port',
  'destination',
  'destination name',
  'destination role',
  'protocol',
  'destination port',
  'ICMP type',
  'stateless answer',
  'flow',
  'title',
  'need',
  'path',
  'why',
  'document',
  'erratum',
  'notes',
  'evidence',
] as const;

type Row = Partial<Record<(typeof COLUMNS)[number], string>>;

export function csv(set: RuleSet): string {
  const rows = [...set.rules.map(permit), ...set.unwritten.map(unwritten)];
  return [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column] ?? ''))]
    .map((fields) => `${fields.map(field).join(',')}\r\n`)
    .join('');
}

function permit({ direction, family, source, destination, protocol, kind, answered, flows }: Rule): Row {
  const ports =
    protocol.kind === 'tcp' || protocol.kind === 'udp'
      ? {
          'destination port': String(protocol.port),
          ...(protocol.sourcePort === undefined ? {} : { 'source port': String(protocol.sourcePort) }),
        }
      : {};
  const said = (of: (flow: RuleFlow) => readonly string[]): string => [...new Set(flows.flatMap(of))].join(' / ');
  return {
    action: 'permit',
    kind,
    direction,
    family: `IPv${family}`,
    source: addressOf(source),
    'source name': nameOf(source),
    'source role': source.role,
    destination: addressOf(destination),
    'destination name': nameOf(destination),
    'destination role': destination.role,
    protocol:
      protocol.kind === 'ip' ? String(protocol.number) : protocol.kind === 'icmp-echo' ? icmp(family) : protocol.kind,
    ...ports,
    ...(protocol.kind === 'icmp-echo' ? { 'ICMP type': family === 6 ? '128' : '8' } : {}),
    'stateless answer': answered ? 'yes' : 'no',
    flow: said(({ profile, flow }) => [`${profile}/${flow}`]),
    title: said(({ title }) => [title]),
    need: said(({ need }) => [need]),
    path: said(({ path }) => (path === undefined ? [] : [path])),
    why: said(({ why }) => [why]),
    document: said((flow) => flow.source),
    erratum: said(({ erratum }) => (erratum === undefined ? [] : [erratum])),
    notes: said(({ notes }) => notes),
    evidence: said(({ seen }) => (seen === undefined ? [] : [seen])),
  };
}

function icmp(family: Rule['family']): string {
  return family === 6 ? 'icmpv6' : 'icmp';
}

function addressOf(end: RuleEnd): string {
  return end.kind === 'address' ? end.address : '';
}

function nameOf(end: RuleEnd): string {
  return end.name ?? '';
}

function unwritten({ profile, flow, title, what, why, incomplete }: Unwritten): Row {
  const action = incomplete ? 'missing' : 'none';
  return { action, flow: `${profile}/${flow}`, title, notes: `${what}: ${why}` };
}

/** Quoted always. A text that a spreadsheet would calculate gets an apostrophe in front, which makes it text. */
function field(text: string): string {
  const one = clean(text).trim();
  const inert = /^[=+\-@]/.test(one) ? `'${one}` : one;
  return `"${inert.replaceAll('"', '""')}"`;
}
