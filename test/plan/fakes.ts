// Probes that ask nothing, and small profiles and sites: what the tests of planning plan with.
import { z } from 'zod';
import type { BoundProbe, Carrier, Depth, Probe, Traits } from '../../src/contract/probe.js';
import type { Plan } from '../../src/contract/flow.js';
import { makePlan } from '../../src/plan/plan.js';
import { problemLine, type Parsed } from '../../src/plan/problem.js';
import { parseProfile, type Profile } from '../../src/plan/profile.js';
import type { Selection } from '../../src/plan/selection.js';
import { parseSite, type Site } from '../../src/plan/site.js';

interface Shape {
  readonly carriers: readonly Carrier[];
  readonly depths: readonly Depth[];
  readonly defaultDepth: Depth;
  readonly silence?: Traits['silence'];
  readonly options?: z.ZodType;
}

function fake(
  name: string,
  { carriers, depths, defaultDepth, silence = 'conclusive', options }: Shape,
): [string, Probe] {
  const sends = [{ what: `a ${name} question`, packets: 1, bytes: 48 }];
  const bound: BoundProbe = {
    traits: { silence, depths, defaultDepth, sends },
    ask: () => Promise.reject(new Error('a plan asks nothing')),
  };
  return [name, { name, summary: `fake ${name}`, carriers, options: options ?? z.strictObject({}), bind: () => bound }];
}

const secret = (): z.ZodType => z.string().meta({ linecheck: 'secret' }).optional();
const tlsOptions = {
  pin: z.string().optional(),
  issuer: z.string().optional(),
  ca: secret(),
  'client-cert': secret(),
};

/** Like the probes of these names, as far as planning sees them. */
export const fakeProbes: ReadonlyMap<string, Probe> = new Map([
  fake('tcp', { carriers: ['tcp'], depths: ['port'], defaultDepth: 'port' }),
  fake('udp', {
    carriers: ['udp'],
    depths: ['port'],
    defaultDepth: 'port',
    silence: 'ambiguous',
    options: z
      .strictObject({ 'payload-hex': z.string().optional(), 'payload-text': z.string().optional() })
      .refine((o) => o['payload-hex'] === undefined || o['payload-text'] === undefined, {
        error: 'payload-hex and payload-text exclude each other',
        path: ['payload-hex'],
      }),
  }),
  fake('ssh', { carriers: ['tcp'], depths: ['port', 'protocol'], defaultDepth: 'protocol' }),
  fake('ntp', { carriers: ['udp'], depths: ['protocol'], defaultDepth: 'protocol' }),
  fake('tls', {
    carriers: ['tcp'],
    depths: ['port', 'secure'],
    defaultDepth: 'secure',
    options: z.strictObject({ ...tlsOptions, alpn: z.array(z.string()).default([]) }),
  }),
  fake('https', {
    carriers: ['tcp'],
    depths: ['port', 'secure', 'protocol'],
    defaultDepth: 'protocol',
    options: z.strictObject({
      ...tlsOptions,
      path: z.string().optional(),
      status: z.int().min(100).max(599).optional(),
    }),
  }),
  fake('icmp', { carriers: ['icmp'], depths: ['protocol'], defaultDepth: 'protocol' }),
  fake('ldap', { carriers: ['tcp'], depths: ['port', 'protocol', 'service'], defaultDepth: 'protocol' }),
  fake('dns', { carriers: ['udp', 'tcp'], depths: ['protocol'], defaultDepth: 'protocol' }),
  fake('discovery', { carriers: ['udp'], depths: ['port'], defaultDepth: 'port', silence: 'ambiguous' }),
  fake('mysql', { carriers: ['tcp'], depths: ['port', 'secure', 'protocol', 'service'], defaultDepth: 'protocol' }),
  fake('dhcp', { carriers: ['udp'], depths: ['protocol'], defaultDepth: 'protocol' }),
  fake('gre', { carriers: [{ ipProtocol: 47 }], depths: ['protocol'], defaultDepth: 'protocol' }),
]);

/** A profile text of one flow, unless `flows` gives others. */
export function profileText(flows: string, id = 'acme-box'): string {
  return `linecheck: profile/v1
id: ${id}
title: A box
source: {title: The box's ports}
roles:
  manager: {title: Manager}
  device: {title: Device}
  ntp-server: {title: Time}
features:
  ldap: {title: LDAP}
  tls: {title: TLS}
flows:
${flows}`;
}

export const webFlow = `  - {id: web, title: Web, from: manager, to: device, tcp: 443, probe: https, why: w, source: s}
`;

export function profileOf(flows: string, id = 'acme-box'): Profile {
  return valueOf(parseProfile({ file: `${id}.yaml`, text: profileText(flows, id) }));
}

export function siteOf(text: string): Site {
  return valueOf(parseSite({ file: 'site.yaml', text: `linecheck: site/v1\n${text}` }));
}

export interface Given {
  readonly flows?: string;
  readonly profiles?: readonly Profile[];
  /** Without its first line. */
  readonly site?: string;
  readonly selection?: Partial<Selection>;
  readonly probes?: ReadonlyMap<string, Probe>;
}

export function planFor({ flows = webFlow, profiles, site, selection, probes = fakeProbes }: Given): Parsed<Plan> {
  return makePlan({
    profiles: profiles ?? [profileOf(flows)],
    ...(site === undefined ? {} : { site: siteOf(site) }),
    selection: { as: [], hosts: [], features: [], flows: [], ...selection },
    probes,
  });
}

export function valueOf<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Error(parsed.problems.map(problemLine).join('\n'));
  return parsed.value;
}

/** All problems as lines, none where it went well. */
export function linesOf(parsed: Parsed<unknown>): readonly string[] {
  return parsed.ok ? [] : parsed.problems.map(problemLine);
}

export function warningsOf(parsed: Parsed<unknown>): readonly string[] {
  return parsed.ok ? parsed.warnings.map(problemLine) : [];
}
