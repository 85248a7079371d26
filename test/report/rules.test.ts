// Firewall rules: what of a plan becomes a rule, and that each language says just that, whatever stands in a profile.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Rule, RuleSet, WantedFlow } from '../../src/contract/rule.js';
import { addressed, leftOut } from '../../src/report/rules/comments.js';
import { entriesOf } from '../../src/report/rules/entries.js';
import { defaultSettings, ruleFormats, type RuleWriter } from '../../src/report/rules/formats.js';
import { wantedFrom } from '../../src/report/rules/from-report.js';
import { endText, ruleSet } from '../../src/report/rules/model.js';
import { objectName, plain } from '../../src/report/rules/safe.js';
import { expectGolden } from './golden.js';
import {
  permit,
  readAsa,
  readCsv,
  readIos,
  readIptables,
  readNftables,
  readPanos,
  type Permit,
} from './rules-grammars.js';
import { about, anyWanted, everyKind, known, sample, wanted } from './rules-samples.js';
import { check, report } from './samples.js';

async function writerOf(format: string): Promise<RuleWriter> {
  const found = ruleFormats.get(format);
  if (found === undefined) throw new Error(`no format ${format}`);
  return found.load();
}

const written = async (format: string, set: RuleSet): Promise<string> =>
  (await writerOf(format)).write(set, defaultSettings);

function permitOf({ source, destination, protocol, family }: Rule): Permit {
  const [from, to] = [{ host: endText(source) }, { host: endText(destination) }];
  switch (protocol.kind) {
    case 'tcp':
    case 'udp':
      return permit(protocol.kind, { ...from, port: protocol.sourcePort }, { ...to, port: protocol.port });
    case 'icmp-echo':
      return permit(family === 6 ? 'icmpv6' : 'icmp', from, to);
    case 'ip':
      return permit(`ip-${protocol.number}`, from, to);
  }
}

function answerOf({ source, destination, protocol, family, answered }: Rule): readonly Permit[] {
  const [from, to] = [{ host: endText(destination) }, { host: endText(source) }];
  if (!answered) return [];
  switch (protocol.kind) {
    case 'tcp':
      return [permit('tcp', { ...from, port: protocol.port }, { ...to, port: protocol.sourcePort }, 'established')];
    case 'udp':
      return [permit('udp', { ...from, port: protocol.port }, { ...to, port: protocol.sourcePort })];
    case 'icmp-echo':
      return [permit(family === 6 ? 'icmpv6-reply' : 'icmp-reply', from, to)];
    case 'ip':
      return [permit(`ip-${protocol.number}`, from, to)];
  }
}

const unique = (permits: readonly Permit[]): readonly Permit[] => [...new Set(permits)].toSorted();

interface Language {
  readonly format: string;
  readonly read: (text: string) => readonly Permit[];
  /** What it should let through. */
  readonly of: (rules: readonly Rule[]) => readonly Permit[];
}

const portless = ({ protocol }: Rule): boolean => protocol.kind === 'icmp-echo' || protocol.kind === 'ip';

const languages: readonly Language[] = [
  { format: 'nftables', read: readNftables, of: (rules) => addressed(rules).map(permitOf) },
  { format: 'iptables', read: readIptables, of: (rules) => addressed(rules).map(permitOf) },
  { format: 'panos', read: readPanos, of: (rules) => rules.map(permitOf) },
  {
    format: 'asa',
    read: readAsa,
    of: (rules) => [...rules.map(permitOf), ...rules.filter(portless).flatMap(answerOf)],
  },
  {
    format: 'ios',
    read: readIos,
    of: (rules) => [...addressed(rules).map(permitOf), ...addressed(rules).flatMap(answerOf)],
  },
];

describe.each(languages)('the rules in $format', ({ format, read, of }) => {
  it('let through all that the model does, and nothing else', async () => {
    const permits = read(await written(format, sample));
    expect(unique(permits)).toEqual(unique(of(sample.rules)));
    expect(permits.length).toBeGreaterThan(20);
  });

  it('do so for any flows, and no text of theirs is a command', async () => {
    const writer = await writerOf(format);
    fc.assert(
      fc.property(anyWanted, fc.boolean(), (flows, named) => {
        const set = ruleSet(flows, named ? known : { ...known, names: new Map() }, {
          ...about,
          site: flows[0]?.title ?? '',
          notices: flows.map(({ why }) => why),
          skipped: flows.map(({ title, why }) => ({ title, reason: why })),
        });
        expect(unique(read(writer.write(set, defaultSettings)))).toEqual(unique(of(set.rules)));
      }),
      { numRuns: 300 },
    );
  });

  it('are the same from run to run, and as they were read before', async () => {
    const [once, again] = await Promise.all([
      written(format, sample),
      written(format, ruleSet(everyKind, known, about)),
    ]);
    expect(once).toBe(again);
    expectGolden(`rules.${format}.txt`, once);
  });

  it('say it where there are none', async () => {
    const none = await written(format, ruleSet([], known, { ...about, skipped: [] }));
    expect(read(none)).toEqual([]);
    expect(none).toContain('0 rules for 0 flows');
  });
});

describe('the rules in csv', () => {
  it('are a line each, and one for each flow without a rule', async () => {
    const rows = readCsv(await written('csv', sample));
    expect(rows.filter(({ action }) => action === 'permit')).toHaveLength(sample.rules.length);
    expect(rows.filter(({ action }) => action !== 'permit')).toHaveLength(sample.unwritten.length);
    expectGolden('rules.csv', await written('csv', sample));
  });

  it('hold no formula, no second line and no escape, whatever stands in a profile', async () => {
    const writer = await writerOf('csv');
    fc.assert(
      fc.property(anyWanted, (flows) => {
        const set = ruleSet(flows, known, about);
        const rows = readCsv(writer.write(set, defaultSettings));
        expect(rows).toHaveLength(set.rules.length + set.unwritten.length);
        const fields = rows.flatMap((row) => Object.values(row));
        expect(fields.filter((field) => /^[=+\-@\t\r]|\p{C}/u.test(field))).toEqual([]);
      }),
    );
  });
});

describe('the ticket', () => {
  it('tells who, to whom, what and why, in 80 columns', async () => {
    const text = await written('text', sample);
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    expectGolden('rules.text.txt', text);
  });

  it('names every address and every port of the rules, whatever else stands in it', async () => {
    const writer = await writerOf('text');
    fc.assert(
      fc.property(anyWanted, (flows) => {
        const set = ruleSet(flows, known, about);
        const text = writer.write(set, defaultSettings);
        expect(text).not.toMatch(/[^\n\P{C}]/u);
        const flat = text.replace(/\s+/g, '');
        for (const { source, destination, protocol } of set.rules) {
          expect(flat).toContain(endText(source));
          expect(flat).toContain(endText(destination));
          if (protocol.kind === 'tcp' || protocol.kind === 'udp') expect(flat).toContain(String(protocol.port));
        }
      }),
    );
  });
});

/** `out tcp ...`, as few words as tell a rule. */
function told(flows: readonly WantedFlow[], addresses = known): readonly string[] {
  return ruleSet(flows, addresses, about).rules.map((rule) => `${rule.direction} ${permitOf(rule)}`);
}

const unwrittenWhy = (flows: readonly WantedFlow[], addresses = known): readonly string[] =>
  ruleSet(flows, addresses, about).unwritten.map(({ why, incomplete }) => `${incomplete ? 'missing' : 'none'}: ${why}`);

describe('a flow', () => {
  const web = wanted({ flow: 'web', to: { role: 'device', host: '192.0.2.21', port: 443 } });
  const alone = { ...known, standing: {} };

  it('goes from every host of the role here, of the family of the far end', () => {
    expect(told([web])).toEqual([
      'from-here tcp 192.0.2.10 * > 192.0.2.21 443',
      'from-here tcp 192.0.2.11 * > 192.0.2.21 443',
    ]);
    const v6 = wanted({ flow: 'web', to: { role: 'device', host: '2001:db8::21', port: 443 } });
    expect(told([v6])).toEqual(['from-here tcp 2001:db8::10 * > 2001:db8::21 443']);
  });

  it('goes from --source where one was given', () => {
    expect(told([web], { ...known, source: { 4: '192.0.2.77' } })).toEqual([
      'from-here tcp 192.0.2.77 * > 192.0.2.21 443',
    ]);
  });

  it('goes from what the route says where the site names nobody, and the rules say so', () => {
    const routed = { ...alone, routes: new Map([['192.0.2.21', '192.0.2.5']]) };
    expect(told([web], routed)).toEqual(['from-here tcp 192.0.2.5 * > 192.0.2.21 443']);
    expect(ruleSet([web], routed, about).notices.join()).toContain(
      '192.0.2.5 is the address of this machine that its routes choose',
    );
  });

  it('without any address here has no rule, and that is told', () => {
    expect(unwrittenWhy([web], { ...alone, route: {} })).toEqual([
      'missing: This machine has no IPv4 address that it could go from or to: give --source.',
    ]);
  });

  it('to here goes to every host of the role here', () => {
    const events = wanted({
      flow: 'events',
      direction: 'in',
      from: { role: 'device', host: '192.0.2.21' },
      to: { role: 'manager', port: 6000 },
    });
    expect(told([events])).toEqual([
      'to-here tcp 192.0.2.21 * > 192.0.2.10 6000',
      'to-here tcp 192.0.2.21 * > 192.0.2.11 6000',
    ]);
  });

  it('whose answer comes from another port has a rule for it', () => {
    const fallback = wanted({
      flow: 'fallback',
      carrier: 'udp',
      sourcePort: 3080,
      answersFrom: 3080,
      to: { role: 'device', host: '2001:db8::21', port: 3081 },
    });
    expect(told([fallback])).toEqual([
      'from-here udp 2001:db8::10 3080 > 2001:db8::21 3081',
      'to-here udp 2001:db8::21 3080 > 2001:db8::10 3080',
    ]);
    expect(ruleSet([fallback], known, about).rules.map(({ answered }) => answered)).toEqual([false, false]);
  });

  it('whose answer nothing fixes has none, and that is told', () => {
    const loose = wanted({
      flow: 'loose',
      carrier: 'udp',
      answersFrom: 3080,
      to: { role: 'device', host: '2001:db8::21', port: 3081 },
    });
    expect(told([loose])).toEqual(['from-here udp 2001:db8::10 * > 2001:db8::21 3081']);
    expect(unwrittenWhy([loose])).toEqual([
      'missing: Its answers come from elsewhere than was asked, to a port that nothing fixes: no exact rule.',
    ]);
  });

  it('by directed broadcast lets those who are known to answer do so', () => {
    const asked = wanted({
      flow: 'asked',
      carrier: 'udp',
      sourcePort: 3080,
      broadcast: true,
      to: { role: 'device', host: '192.0.2.255', port: 3080 },
    });
    const one = { ...known, standing: { 'acme-box/manager': ['192.0.2.10'] } };
    expect(told([asked, web], one)).toEqual([
      'from-here udp 192.0.2.10 3080 > 192.0.2.255 3080',
      'to-here udp 192.0.2.21 3080 > 192.0.2.10 3080',
      'from-here tcp 192.0.2.10 * > 192.0.2.21 443',
    ]);
    expect(unwrittenWhy([asked], one)).toEqual([
      'missing: Nobody is named for the role device: rules for the answers need addresses.',
    ]);
  });

  it.each<readonly [string, Partial<WantedFlow>, string]>([
    ['that must be blocked', { expect: 'blocked' }, 'none: It must be blocked'],
    [
      'by broadcast in its own network',
      { carrier: 'udp', broadcast: true, to: { role: 'device', host: '255.255.255.255', port: 3080 } },
      'none: A broadcast stays in its own network',
    ],
    [
      'to this machine itself',
      { to: { role: 'device', host: '::1', port: 80 } },
      'none: ::1 does not leave its own link',
    ],
    [
      'to a link-local address',
      { to: { role: 'device', host: 'fe80::1%eth0', port: 80 } },
      'none: fe80::1 does not leave its own link',
    ],
    [
      'between one address and itself',
      { to: { role: 'device', host: '2001:db8::10', port: 80 } },
      'none: Both of its ends are 2001:db8::10.',
    ],
    [
      'to a role that nobody stands in',
      { to: { role: 'ldap-server', port: 389 } },
      'missing: Nobody is named for the role ldap-server',
    ],
    ['of the other family', { family: 6 }, 'missing: 192.0.2.21 has no IPv6 address.'],
  ])('%s has no rule, and the reason is told', (_what, more, why) => {
    const [first = '', ...others] = unwrittenWhy([{ ...web, ...more }]);
    expect(first.slice(0, why.length)).toBe(why);
    expect(others).toEqual([]);
    expect(told([{ ...web, ...more }])).toEqual([]);
  });

  it('to a name goes to each of its addresses, and the rules say that they were looked up', () => {
    const ntp = wanted({ flow: 'ntp', carrier: 'udp', to: { role: 'ntp-server', host: 'ntp.example.net', port: 123 } });
    const set = ruleSet([ntp], { ...known, standing: { 'acme-box/manager': ['192.0.2.10', '2001:db8::10'] } }, about);
    expect(set.rules.map(permitOf)).toEqual([
      'udp 192.0.2.10 * > 203.0.113.5 123',
      'udp 2001:db8::10 * > 2001:db8::5 123',
    ]);
    expect(set.notices).toEqual([
      expect.stringMatching(/^ntp\.example\.net was looked up: 203\.0\.113\.5 and 2001:db8::5\./),
    ]);
  });

  it('to a name that has no address stays with its name, for firewalls that look it up; others say that it is missing', async () => {
    const dns = wanted({ flow: 'dns', carrier: 'udp', to: { role: 'dns-server', host: 'dns.example.net', port: 53 } });
    const set = ruleSet([dns], { ...known, standing: { 'acme-box/manager': ['192.0.2.10'] } }, about);
    expect(readPanos(await written('panos', set))).toEqual(['udp 192.0.2.10 * > dns.example.net 53']);
    expect(readAsa(await written('asa', set))).toEqual(['udp 192.0.2.10 * > dns.example.net 53']);
    for (const format of ['nftables', 'iptables', 'ios']) {
      const writer = await writerOf(format);
      expect(leftOut(set, writer.writes(set.rules, defaultSettings)).map(({ incomplete }) => incomplete)).toEqual([
        true,
      ]);
      expect((await written(format, set)).replace(/\n[#!] /g, ' ')).toContain('dns.example.net has no address here');
    }
  });

  it('through a proxy goes to the proxy', () => {
    const updates = wanted({
      flow: 'updates',
      to: { role: 'cloud', host: 'updates.example.net', port: 443 },
      via: { host: '2001:db8::3', port: 3128 },
    });
    expect(told([updates])).toEqual(['from-here tcp 2001:db8::10 * > 2001:db8::3 3128']);
  });

  it('that wants the same as another shares its rule', () => {
    const set = ruleSet([web, { ...web, flow: 'api' }, web], { ...known, source: { 4: '192.0.2.10' } }, about);
    expect(set.rules.map(({ flows }) => flows.map(({ flow }) => flow))).toEqual([['web', 'api']]);
  });
});

describe('a chain for one family alone', () => {
  it('has the rules of that family, and says that the others are missing', async () => {
    const writer = await writerOf('nftables');
    const settings = { ...defaultSettings, nftChain: { family: 'ip', table: 'filter', chain: 'FORWARD' } } as const;
    const text = writer.write(sample, settings);
    expect(unique(readNftables(text))).toEqual(
      unique(
        addressed(sample.rules)
          .filter(({ family }) => family === 4)
          .map(permitOf),
      ),
    );
    expect(text).toContain('add rule ip filter linecheck ');
    expect(
      leftOut(sample, writer.writes(sample.rules, settings)).some(({ why }) => why.includes('other IP family')),
    ).toBe(true);
  });
});

describe('groups', () => {
  it('hold just the pairs of the rules, for any flows', () => {
    fc.assert(
      fc.property(anyWanted, (flows) => {
        const { rules } = ruleSet(flows, known, about);
        const entries = entriesOf(rules);
        const pairs = entries.flatMap(({ sources, destinations, services, family, direction, kind }) =>
          services.flatMap((service) =>
            sources.flatMap((source) =>
              destinations.map((destination) =>
                JSON.stringify([direction, family, kind, endText(source), endText(destination), service]),
              ),
            ),
          ),
        );
        const single = rules.map(({ direction, family, kind, source, destination, protocol }) =>
          JSON.stringify([direction, family, kind, endText(source), endText(destination), protocol]),
        );
        expect(pairs.toSorted()).toEqual(single.toSorted());
        expect(new Set(entries.map(({ name }) => name)).size).toBe(entries.length);
      }),
    );
  });

  it('gather what goes between the same hosts', () => {
    const entry = entriesOf(sample.rules).find(({ name }) => name === 'acme-box-video');
    expect(entry?.services).toHaveLength(3);
    expect(entry?.sources.map(endText)).toEqual(['192.0.2.10', '192.0.2.11']);
  });
});

describe('object names', () => {
  it('are never two things at once, however long or odd', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1, maxLength: 120 }), { maxLength: 20 }), (texts) => {
        const names = texts.map((text) => objectName(text, 63));
        expect(new Set(names).size).toBe(texts.length);
        expect(names.filter((name) => !/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name))).toEqual([]);
      }),
    );
  });
});

describe('plain text', () => {
  it('has no character that a language would take for its own', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(plain(text)).toMatch(/^[A-Za-z0-9 .,:;/()_+=@'>-]*$/);
      }),
    );
    expect(plain('Hütte “x” – naïve?')).toBe("Hutte 'x' - naive.");
  });
});

describe('a report', () => {
  const to = (last: number, port = 443) => ({
    role: 'device',
    host: `192.0.2.${last}`,
    address: `192.0.2.${last}`,
    port,
  });
  const failed = {
    result: 'fail',
    verdict: 'blocked',
    how: 'dropped',
    certain: 'likely',
    summary: 'Nothing came back.',
  } as const;
  const from = (checks: readonly ReturnType<typeof check>[], unproven = false) =>
    wantedFrom(report(checks), {
      factsOf: () => ({ why: 'It is needed.', sourcePort: 3080 }),
      unproven,
      isSelected: (_, flow) => flow !== 'left-out',
    });

  it('gives what failed, from where it was asked, with what was seen', () => {
    const flows = from([
      check({ flow: 'open', title: 'Open', to: to(21) }),
      check({ flow: 'shut', title: 'Shut', to: to(22), ...failed }),
      check({ flow: 'left-out', title: 'Left out', to: to(23), ...failed }),
      check({ flow: 'unsure', title: 'Unsure', to: to(24), result: 'unproven', verdict: 'unproven', how: 'silence' }),
    ]);
    expect(flows.map(({ flow }) => flow)).toEqual(['shut']);
    expect(flows[0]?.seen).toMatch(/^\d{4}-.*Z, blocked \(dropped, likely\): Nothing came back\.$/);
    expect(told(flows, { ...known, standing: {} })).toEqual(['from-here tcp 192.0.2.10 3080 > 192.0.2.22 443']);
  });

  it('gives also what is unproven, where that is asked for', () => {
    const unsure = check({
      flow: 'unsure',
      title: 'Unsure',
      to: to(24),
      result: 'unproven',
      verdict: 'unproven',
      how: 'silence',
    });
    expect(from([unsure]).map(({ flow }) => flow)).toEqual([]);
    expect(from([unsure], true).map(({ flow }) => flow)).toEqual(['unsure']);
  });

  it('wants no rule where the path is proven open, or another alternative is', () => {
    const refused = { result: 'fail', verdict: 'closed', how: 'reset', summary: 'It refuses.' } as const;
    const flows = from([
      check({ flow: 'closed', title: 'Closed', to: to(21), ...refused, certain: 'proven' }),
      check({ flow: 'maybe', title: 'Maybe', to: to(22), ...refused, certain: 'likely' }),
      check({ flow: 'one', title: 'One', to: to(23), ...failed, group: 'g', required: false }),
      check({ flow: 'other', title: 'Other', to: to(23, 444), group: 'g' }),
    ]);
    const addresses = { ...known, standing: {} };
    expect(told(flows, addresses)).toEqual(['from-here tcp 192.0.2.10 3080 > 192.0.2.22 443']);
    expect(unwrittenWhy(flows, addresses)).toEqual([
      'none: The path is open, no rule is missing: It refuses.',
      'none: Another of the alternatives is open, and one is enough.',
    ]);
  });

  it('knows flows to here, names, carriers and proxies again', () => {
    const events = check({
      flow: 'events',
      title: 'Events',
      id: 'acme-box/events/device/192.0.2.21/tcp-6000',
      from: { role: 'device' },
      to: { role: 'manager', port: 6000 },
      result: 'unproven',
      verdict: 'unproven',
      how: 'no-peer',
    });
    const tunnel = check({
      flow: 'tunnel',
      title: 'Tunnel',
      to: { role: 'device', host: '192.0.2.21', address: '192.0.2.21' },
      carrier: 'ip-47',
      ...failed,
    });
    const proxied = check({
      flow: 'cloud',
      title: 'Cloud',
      to: { role: 'cloud', host: 'c.example.net', port: 443 },
      via: '[2001:db8::3]:3128',
      ...failed,
    });
    const addresses = { ...known, standing: {}, source: { 4: '192.0.2.10', 6: '2001:db8::10' } };
    expect(told(from([events, tunnel, proxied], true), addresses)).toEqual([
      'to-here tcp 192.0.2.21 3080 > 192.0.2.10 6000',
      'from-here ip-47 192.0.2.10 * > 192.0.2.21 *',
      'from-here tcp 2001:db8::10 3080 > 2001:db8::3 3128',
    ]);
  });
});
