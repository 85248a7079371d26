// A site: one deployment of one or several products. Its schema and its parsed form; what it refers to in profiles is
// looked up while planning.
import { z } from 'zod';
import type { Expect, Family, Place, Reach, SecretSource } from '../contract/flow.js';
import { parseHost, sourceProblem } from './address.js';
import { readYaml, type Path, type YamlFile } from './document.js';
import { checked, jsonSchemaOf, type JsonSchema } from './issues.js';
import { optionsAt, type Options } from './options.js';
import { Problems, quoted, type Parsed, type Placed, type SourceText } from './problem.js';
import {
  REACHES,
  entriesOf,
  idSchema,
  once,
  oneOrMore,
  optionsSchema,
  portsOf,
  portsSchema,
  qualifiedIdSchema,
  textSchema,
  type PortRange,
} from './words.js';

export interface Site {
  readonly file: string;
  readonly name?: string;
  /** As written: an id, or the path of a file relative to this one. */
  readonly profiles: readonly ProfileReference[];
  /** `role` or `profile/role`. */
  readonly here: readonly Placed<string>[];
  readonly source?: Placed<string>;
  readonly family: Family | 'any';
  readonly hosts: readonly RoleHosts[];
  readonly features: readonly Placed<string>[];
  readonly flows: readonly FlowOverride[];
  readonly acceptUnproven: readonly Placed<string>[];
  readonly secrets: ReadonlyMap<string, Placed<SecretSource>>;
  readonly login: boolean;
  /** `environment`, or the URL of a proxy. */
  readonly proxy?: Placed<string>;
}

export type ProfileReference = Placed<string> & { readonly kind: 'id' | 'file' };

/** Who stands in a role, `role` or `profile/role`. */
export interface RoleHosts {
  readonly role: Placed<string>;
  readonly hosts: 'none' | readonly SiteHost[];
}

export interface SiteHost {
  /** Canonical address, or name in lower case. */
  readonly host: string;
  /** Absent for a name. */
  readonly family?: Family;
  readonly addresses: 'every' | 'any';
  readonly flows: readonly FlowOverride[];
  readonly place?: Place;
}

/** What a site says otherwise than the profile, for one flow. */
export interface FlowOverride {
  /** `profile/flow`, or a bare flow id. */
  readonly flow: Placed<string>;
  readonly ports?: Placed<PortRange>;
  readonly options: Options;
  readonly reach?: Placed<Reach>;
  readonly expect?: Expect;
  readonly required?: boolean;
  /** Where a broadcast flow is asked; the limited broadcast address by default. */
  readonly broadcastTo?: string;
}

const overrideSchema = once(() => {
  return z.strictObject({
    port: portsSchema().optional().describe('The port in use here, or a range.'),
    with: optionsSchema().optional().describe('Options of the probe; `linecheck probes NAME` lists them.'),
    reach: z.enum(REACHES).optional().describe('How deep an answer must prove.'),
    expect: z.enum(['open', 'blocked']).optional().describe('blocked: the flow must not get through.'),
    required: z.boolean().optional().describe('Whether this deployment needs the flow.'),
    'broadcast-to': z.string().optional().describe('The broadcast address of the network, for a broadcast flow.'),
  });
});

type WrittenOverride = z.infer<ReturnType<typeof overrideSchema>>;

const overridesSchema = once(() => {
  return z.record(qualifiedIdSchema(), overrideSchema());
});

const hostSchema = once(() => {
  return z.union([
    z.string({ error: 'expected an address or a host name' }),
    z.strictObject({
      address: z.string({ error: 'expected an address' }).optional().describe('An IPv4 or IPv6 address.'),
      name: z.string({ error: 'expected a host name' }).optional().describe('A host name.'),
      addresses: z.enum(['every', 'any']).optional().describe('any: one address of the name is enough.'),
      flows: overridesSchema().optional().describe('What is different for flows to this host.'),
    }),
  ]);
});

type WrittenHost = z.infer<ReturnType<typeof hostSchema>>;

const siteSchema = once(() => {
  return z.strictObject({
    linecheck: z.literal('site/v1').describe('The format of this file.'),
    name: textSchema().optional().describe('A label of this deployment, in every report.'),
    profiles: oneOrMore(textSchema()).optional().describe('Ids of profiles, or paths of profile files of your own.'),
    here: oneOrMore(qualifiedIdSchema()).optional().describe('The role or roles that this machine stands in.'),
    source: textSchema().optional().describe('Address or interface to probe from.'),
    family: z
      .union([z.literal(4), z.literal(6), z.literal('any')], { error: 'expected 4, 6 or any' })
      .optional()
      .describe('Address family. Default: any.'),
    hosts: z
      .record(qualifiedIdSchema(), oneOrMore(hostSchema()))
      .optional()
      .describe('Who stands in each role: address, name, a list of them, or none.'),
    features: oneOrMore(qualifiedIdSchema()).optional().describe('Features in use.'),
    flows: overridesSchema().optional().describe('What is different here, by PROFILE/FLOW.'),
    'accept-unproven': oneOrMore(textSchema()).optional().describe('Flow globs, or words such as no-peer.'),
    secrets: z
      .record(
        idSchema(),
        z.strictObject(
          {
            env: z
              .string({ error: ENV_EXPECTED })
              .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: ENV_EXPECTED })
              .optional(),
            file: textSchema().optional().describe('Path, relative to this file.'),
          },
          { error: (issue) => (issue.code === 'invalid_type' ? SECRET_EXPECTED : undefined) },
        ),
      )
      .optional()
      .describe('Where secrets, certificates and keys are found; never the secrets themselves.'),
    login: z.boolean().optional().describe('Use credentials. Default: false.'),
    proxy: z
      .string({ error: PROXY_EXPECTED })
      .regex(/^(environment|http:\/\/[^\s/?#@]+\/?)$/, { error: PROXY_EXPECTED })
      .optional()
      .describe('The proxy that HTTP and HTTPS checks go through; another path is proven then. Default: none.'),
  });
});

const ENV_EXPECTED = 'expected the name of an environment variable';
const SECRET_EXPECTED = 'expected {env: NAME} or {file: PATH}; a secret itself never stands here';
const PROXY_EXPECTED = 'expected environment, or http://HOST:PORT';

/** The JSON Schema (draft 7) of a site file, for editors. */
export function siteJsonSchema(): JsonSchema {
  return { ...jsonSchemaOf(siteSchema()), title: 'linecheck site/v1' };
}

/** Reads a site. Never throws: all that is wrong comes back as problems, all at once. */
export function parseSite(text: SourceText): Parsed<Site> {
  const read = readYaml(text);
  if (!read.ok) return read;
  const file = read.value;
  const problems = new Problems();
  const { value } = file;
  const whole = checked(
    siteSchema(),
    // A secret or a proxy's password that somebody wrote out must not reach the screen.
    { ...file, top: 'the file', hidden: ([top]) => top === 'secrets' || top === 'proxy' },
    problems,
  );

  // What is well-formed is looked at further, even where the rest is not: one round of mending is enough.
  const hosts = hostsOf(value['hosts'], file, problems);
  const flows = overridesAt(value['flows'], file, ['flows'], problems);
  const secrets = secretsOf(value['secrets'], file, problems);
  const texts = (key: string): readonly Placed<string>[] => textsAt(value[key], file, [key], problems);
  const [profiles, here, features, acceptUnproven] = [
    texts('profiles'),
    texts('here'),
    texts('features'),
    texts('accept-unproven'),
  ];
  const source = value['source'];
  if (typeof source === 'string') {
    const wrong = sourceProblem(source);
    if (wrong !== undefined) {
      problems.add(() => ({ place: file.place(['source']), what: `source ${quoted(source)} ${wrong}` }));
    }
  }
  if (whole === undefined || problems.any()) return problems.failed();

  return problems.finish(() => ({
    file: file.file,
    ...(whole.name === undefined ? {} : { name: whole.name }),
    profiles: profiles.map((one) => ({ ...one, kind: /[/\\]|\.ya?ml$/i.test(one.value) ? 'file' : 'id' })),
    here,
    ...(whole.source === undefined ? {} : { source: { value: whole.source, place: file.place(['source']) } }),
    family: whole.family ?? 'any',
    hosts,
    features,
    flows,
    acceptUnproven,
    secrets,
    login: whole.login ?? false,
    ...(whole.proxy === undefined ? {} : { proxy: { value: whole.proxy, place: file.place(['proxy']) } }),
  }));
}

/** One text or a list of them, each with its place; one that stands twice is a warning. */
function textsAt(value: unknown, file: YamlFile, at: Path, problems: Problems): readonly Placed<string>[] {
  const listed = Array.isArray(value);
  const list: readonly unknown[] = listed ? value : [value];
  const found = new Map<string, Placed<string>>();
  for (const [index, one] of list.entries()) {
    if (typeof one !== 'string') continue;
    const place = file.place(listed ? [...at, index] : at);
    if (found.has(one))
      problems.warn({ place, what: `${quoted(one)} stands twice under ${quoted(String(at.at(-1)))}` });
    else found.set(one, { value: one, place });
  }
  return [...found.values()];
}

function hostsOf(value: unknown, file: YamlFile, problems: Problems): readonly RoleHosts[] {
  const schema = hostSchema();
  return entriesOf(value).map(([role, written]) => {
    const placedRole = { value: role, place: file.place(['hosts', role], 'key') };
    if (written === 'none') return { role: placedRole, hosts: 'none' };
    const listed = Array.isArray(written);
    const list: readonly unknown[] = listed ? written : [written];
    const hosts: SiteHost[] = [];
    const plain = new Set<string>();
    for (const [index, one] of list.entries()) {
      const at = ['hosts', role, ...(listed ? [index] : [])];
      const parsed = schema.safeParse(one);
      const host = parsed.success ? hostOf(parsed.data, file, at, problems) : undefined;
      if (host === undefined) continue;
      if (host.flows.length === 0 && plain.has(host.host)) {
        problems.warn({ place: file.place(at), what: `${quoted(host.host)} stands twice in the role ${quoted(role)}` });
        continue;
      }
      if (host.flows.length === 0) plain.add(host.host);
      hosts.push(host);
    }
    return { role: placedRole, hosts };
  });
}

function hostOf(written: WrittenHost, file: YamlFile, at: Path, problems: Problems): SiteHost | undefined {
  const place = file.place(at);
  const { address, name, addresses, flows } =
    typeof written === 'string'
      ? { address: undefined, name: undefined, addresses: undefined, flows: undefined }
      : written;
  const [text, textAt] =
    typeof written === 'string'
      ? [written, at]
      : name === undefined
        ? [address, [...at, 'address']]
        : [name, [...at, 'name']];
  if (text === undefined || (address !== undefined && name !== undefined)) {
    problems.add(() => ({
      place,
      what: text === undefined ? 'the host has neither "address" nor "name"' : 'the host has both "address" and "name"',
      expected: 'one of them',
    }));
    return undefined;
  }
  const overrides = overridesAt(flows, file, [...at, 'flows'], problems);
  const host = parseHost(text);
  if (!host.ok) {
    problems.add(() => ({ place: file.place(textAt), what: `the host ${quoted(text)} ${host.why}` }));
    return undefined;
  }
  if (typeof written === 'string' && /^(none|null|nil|n\/a)$/i.test(text)) {
    problems.add(() => ({
      place,
      what: `${quoted(text)} stands among hosts`,
      expected: 'none, by itself, for a role that is deliberately empty',
    }));
    return undefined;
  }
  const wrongKind =
    name !== undefined && host.kind === 'address'
      ? 'address'
      : address !== undefined && host.kind === 'name'
        ? 'name'
        : undefined;
  if (wrongKind !== undefined) {
    const key = wrongKind === 'name' ? 'address' : 'name';
    problems.add(() => ({
      place: file.place(textAt),
      what: `${quoted(text)} is ${wrongKind === 'name' ? 'a host name' : 'an address'}; write it as ${quoted(wrongKind)}, not as ${quoted(key)}`,
    }));
    return undefined;
  }
  if (addresses === 'any' && host.kind === 'address') {
    problems.add(() => ({
      place: file.place([...at, 'addresses']),
      what: '"addresses: any" with an address',
      expected: 'a name, which may have several addresses',
    }));
  }
  return {
    host: host.host,
    ...(host.kind === 'address' ? { family: host.family } : {}),
    addresses: addresses ?? 'every',
    flows: overrides,
    place,
  };
}

function overridesAt(value: unknown, file: YamlFile, at: Path, problems: Problems): readonly FlowOverride[] {
  const schema = overrideSchema();
  return entriesOf(value).flatMap(([flow, written]) => {
    const parsed = schema.safeParse(written);
    return parsed.success ? [overrideOf(flow, parsed.data, file, [...at, flow], problems)] : [];
  });
}

function overrideOf(
  flow: string,
  written: WrittenOverride,
  file: YamlFile,
  at: Path,
  problems: Problems,
): FlowOverride {
  const place = (key: string): Place => file.place([...at, key]);
  const { port, reach, expect, required } = written;
  const broadcastTo = written['broadcast-to'];
  if (broadcastTo !== undefined && !isBroadcast(broadcastTo)) {
    problems.add(() => ({
      place: place('broadcast-to'),
      what: `broadcast-to is ${quoted(broadcastTo)}`,
      expected: 'an IPv4 broadcast address such as 192.0.2.255',
    }));
  }
  return {
    flow: { value: flow, place: file.place(at, 'key') },
    ...(port === undefined ? {} : { ports: { value: portsOf(port), place: place('port') } }),
    options: optionsAt(file, [...at, 'with'], written.with),
    ...(reach === undefined ? {} : { reach: { value: reach, place: place('reach') } }),
    ...(expect === undefined ? {} : { expect }),
    ...(required === undefined ? {} : { required }),
    ...(broadcastTo === undefined ? {} : { broadcastTo }),
  };
}

function isBroadcast(text: string): boolean {
  const host = parseHost(text);
  return text === '255.255.255.255' || (host.ok && host.kind === 'address' && host.family === 4);
}

function secretsOf(value: unknown, file: YamlFile, problems: Problems): ReadonlyMap<string, Placed<SecretSource>> {
  const secrets = new Map<string, Placed<SecretSource>>();
  for (const [name, written] of entriesOf(value)) {
    const place = file.place(['secrets', name]);
    const entries = new Map(entriesOf(written));
    const [env, path] = [entries.get('env'), entries.get('file')];
    if (written !== null && typeof written === 'object' && (env === undefined) === (path === undefined)) {
      problems.add(() => ({
        place,
        what: `the secret ${quoted(name)} has ${env === undefined ? 'neither "env" nor "file"' : 'both "env" and "file"'}`,
        expected: 'one of them',
      }));
    }
    if (typeof env === 'string') secrets.set(name, { value: { env }, place });
    else if (typeof path === 'string') secrets.set(name, { value: { file: path }, place });
  }
  return secrets;
}
