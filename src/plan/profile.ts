// A profile: what a product requires of the network. Its schema, its cross-references, its parsed form.
import { z } from 'zod';
import type { Place, Reach } from '../contract/flow.js';
import type { Carrier } from '../contract/probe.js';
import { childOf, readYaml, type Path, type YamlFile } from './document.js';
import { parseDuration } from './duration.js';
import { checked, jsonSchemaOf, type JsonSchema } from './issues.js';
import { optionsAt, type Options } from './options.js';
import { Problems, quoted, type Parsed, type Placed, type SourceText } from './problem.js';
import {
  REACHES,
  durationSchema,
  entriesOf,
  idSchema,
  listOf,
  once,
  oneOrMore,
  optionsSchema,
  portSchema,
  portsOf,
  portsSchema,
  textSchema,
  unknownName,
  type PortRange,
} from './words.js';

export interface Profile {
  readonly file: string;
  readonly id: string;
  readonly title: string;
  readonly source: Readonly<Record<string, string>>;
  readonly roles: ReadonlyMap<string, Role>;
  readonly features: ReadonlyMap<string, Feature>;
  readonly flows: readonly Flow[];
  /** The file's own keys and values, for those who print it. */
  readonly written: Readonly<Record<string, unknown>>;
}

export interface Role {
  readonly title: string;
  readonly description?: string;
}

export type Feature = Role;

export interface Flow {
  readonly id: string;
  readonly title: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly bothWays: boolean;
  readonly carrier: Carrier;
  /** Absent where the carrier has none. */
  readonly ports?: PortRange;
  readonly configurable: boolean;
  readonly probe: Placed<string>;
  readonly options: Options;
  readonly reach?: Placed<Reach>;
  readonly required: Requirement;
  readonly sourcePort?: number;
  readonly answersFrom?: number;
  readonly broadcast: boolean;
  readonly path?: 'in-band' | 'out-of-band';
  readonly everyMs?: number;
  readonly why: string;
  readonly source: readonly string[];
  readonly erratum?: string;
  readonly place: Place;
}

/** When a flow is in use, and whether it must then be open. */
export interface Requirement {
  /** All of them must be in use. */
  readonly features: readonly string[];
  /** None of them may be in use. */
  readonly unless: readonly string[];
  readonly optional: boolean;
  readonly oneOf?: string;
}

const flowSchema = once(() =>
  z.strictObject({
    id: idSchema().describe('The name of this flow within the profile.'),
    title: textSchema().describe('What this communication is, in a few words.'),
    from: oneOrMore(idSchema()).describe('The role, or list of roles, that opens the communication.'),
    to: oneOrMore(idSchema()).describe('The role, or list of roles, that answers.'),
    'both-ways': z.boolean().optional().describe('The document says inbound and outbound.'),
    tcp: portsSchema().optional().describe('TCP port, or a range "900-902", each port of which is a check.'),
    udp: portsSchema().optional().describe('UDP port, or a range.'),
    ip: z
      .int({ error: IP_EXPECTED })
      .min(1, { error: IP_EXPECTED })
      .max(255, { error: IP_EXPECTED })
      .optional()
      .describe('IP protocol number: 47 GRE, 50 ESP.'),
    icmp: z.literal('echo').optional().describe('ICMP echo request and reply.'),
    configurable: z.boolean().optional().describe('The document says that the port may be changed.'),
    probe: idSchema().describe('The probe that asks.'),
    with: optionsSchema().optional().describe('Options of the probe; `linecheck probes NAME` lists them.'),
    reach: z
      .enum(REACHES)
      .optional()
      .describe('How deep an answer must prove. Default: the deepest without credentials.'),
    required: z
      .union([
        z.enum(['always', 'optional']),
        z.strictObject({
          feature: oneOrMore(idSchema()).optional().describe('Only where this feature, or all of these, are in use.'),
          unless: oneOrMore(idSchema()).optional().describe('Not where this feature, or one of these, is in use.'),
          'one-of': idSchema().optional().describe('Members of one group are alternatives on each target.'),
          optional: z.boolean().optional().describe('Checked where the conditions hold, but not required.'),
        }),
      ])
      .optional()
      .describe('When the flow must be open. Default: always.'),
    'source-port': portSchema().optional().describe('Where the protocol fixes it.'),
    'answers-from': portSchema().optional().describe('The port answers come from, where that is another.'),
    broadcast: z.boolean().optional().describe('Asked by broadcast.'),
    path: z.enum(['in-band', 'out-of-band']).optional().describe('Where the document distinguishes them.'),
    every: durationSchema().optional().describe('The interval that the document gives.'),
    why: textSchema().describe('What breaks without it.'),
    source: oneOrMore(textSchema()).describe('The row or rows of the document, so that a reader finds them.'),
    erratum: textSchema().optional().describe('Where the document is wrong: what the standard says.'),
  }),
);

const IP_EXPECTED = 'expected an IP protocol number from 1 to 255';

type WrittenFlow = z.infer<ReturnType<typeof flowSchema>>;

const profileSchema = once(() => {
  const named = z.strictObject({
    title: textSchema().describe('For a person.'),
    description: textSchema().optional(),
  });
  return z.strictObject({
    linecheck: z.literal('profile/v1').describe('The format of this file.'),
    id: idSchema().describe('The name by which sites and flags call this profile: vendor-product.'),
    title: textSchema().describe('The product.'),
    source: z
      .strictObject({
        title: textSchema(),
        publisher: textSchema().optional(),
        number: textSchema().optional(),
        version: textSchema().optional(),
        date: textSchema().optional(),
        url: textSchema().optional(),
      })
      .describe('The document that says so.'),
    roles: z.record(idSchema(), named).describe('The places in the product.'),
    features: z.record(idSchema(), named).optional().describe('What a deployment may or may not use.'),
    flows: z.array(flowSchema()).min(1, { error: 'expected at least one flow' }).describe('One for each row.'),
  });
});

/** The JSON Schema (draft 7) of a profile file, for editors. */
export function profileJsonSchema(): JsonSchema {
  return { ...jsonSchemaOf(profileSchema()), title: 'linecheck profile/v1' };
}

/** Reads a profile. Never throws: all that is wrong comes back as problems, all at once. */
export function parseProfile(text: SourceText): Parsed<Profile> {
  const read = readYaml(text);
  if (!read.ok) return read;
  const file = read.value;
  const problems = new Problems();
  const { value } = file;
  const whole = checked(profileSchema(), { ...file, top: 'the file' }, problems);

  // Flows that are well-formed are looked at further, even where others are not: one round of mending is enough.
  const roles = entriesOf(value['roles']).map(([id]) => id);
  const features = entriesOf(value['features']).map(([id]) => id);
  const written: readonly unknown[] = Array.isArray(value['flows']) ? value['flows'] : [];
  const oneFlow = flowSchema();
  const flows: Flow[] = [];
  for (const [index, raw] of written.entries()) {
    const parsed = oneFlow.safeParse(raw);
    if (parsed.success) flows.push(flowOf(parsed.data, file, ['flows', index], { roles, features }, problems));
  }
  const seen = new Map<string, number>();
  for (const [index, raw] of written.entries()) {
    const id = childOf(raw, 'id');
    if (typeof id !== 'string') continue;
    const place = file.place(['flows', index, 'id']);
    const before = seen.get(id);
    if (before === undefined) seen.set(id, place.line);
    else problems.add(() => ({ place, what: `the flow id ${quoted(id)} is taken; the first is in line ${before}` }));
  }
  if (whole !== undefined) warnOfUnused(file, { roles, features }, flows, problems);

  if (whole === undefined || problems.any()) return problems.failed();
  return problems.finish(() => ({
    file: file.file,
    id: whole.id,
    title: whole.title,
    source: Object.fromEntries(
      Object.entries(whole.source).flatMap(([key, said]): [string, string][] =>
        said === undefined ? [] : [[key, said]],
      ),
    ),
    roles: new Map(Object.entries(whole.roles).map(([id, role]) => [id, roleOf(role)])),
    features: new Map(Object.entries(whole.features ?? {}).map(([id, feature]) => [id, roleOf(feature)])),
    flows,
    written: value,
  }));
}

function roleOf(written: { title: string; description?: string | undefined }): Role {
  const { title, description } = written;
  return description === undefined ? { title } : { title, description };
}

interface Known {
  readonly roles: readonly string[];
  readonly features: readonly string[];
}

function flowOf(written: WrittenFlow, file: YamlFile, at: Path, known: Known, problems: Problems): Flow {
  const place = (...path: Path): Place => file.place([...at, ...path]);
  const named = (names: string | string[] | undefined, ...path: Path): readonly Placed<string>[] =>
    listOf(names).map((value, index) => ({ value, place: place(...path, ...(Array.isArray(names) ? [index] : [])) }));

  for (const role of [...named(written.from, 'from'), ...named(written.to, 'to')]) {
    if (!known.roles.includes(role.value)) problems.add(() => unknownName('role', role, known.roles));
  }
  const requirement = requirementOf(written.required);
  if (typeof written.required === 'object') {
    const { feature, unless } = written.required;
    for (const one of [...named(feature, 'required', 'feature'), ...named(unless, 'required', 'unless')]) {
      if (!known.features.includes(one.value)) problems.add(() => unknownName('feature', one, known.features));
    }
    const both = requirement.features.find((id) => requirement.unless.includes(id));
    if (both !== undefined) {
      problems.add(() => ({ place: place('required'), what: `the flow needs ${quoted(both)} to be both on and off` }));
    }
    if (requirement.optional && requirement.oneOf !== undefined) {
      problems.add(() => ({
        place: place('required'),
        what: 'the flow is optional and one of a group at once',
        expected: '"one-of" or "optional", not both',
      }));
    }
  }

  const { carrier, ports } = carrierOf(written, file, at, problems);
  if (carrier !== 'udp' && (written.broadcast === true || written['answers-from'] !== undefined)) {
    const key = written.broadcast === true ? 'broadcast' : 'answers-from';
    problems.add(() => ({ place: file.place([...at, key], 'key'), what: `"${key}" on a flow that is not UDP` }));
  }
  if (ports === undefined && written['source-port'] !== undefined) {
    problems.add(() => ({ place: file.place([...at, 'source-port'], 'key'), what: '"source-port" without ports' }));
  }
  const everyMs = written.every === undefined ? undefined : parseDuration(written.every);
  return {
    id: written.id,
    title: written.title,
    from: [...new Set(listOf(written.from))],
    to: [...new Set(listOf(written.to))],
    bothWays: written['both-ways'] ?? false,
    carrier,
    ...(ports === undefined ? {} : { ports }),
    configurable: written.configurable ?? false,
    probe: { value: written.probe, place: place('probe') },
    options: optionsAt(file, [...at, 'with'], written.with),
    ...(written.reach === undefined ? {} : { reach: { value: written.reach, place: place('reach') } }),
    required: requirement,
    ...(written['source-port'] === undefined ? {} : { sourcePort: written['source-port'] }),
    ...(written['answers-from'] === undefined ? {} : { answersFrom: written['answers-from'] }),
    broadcast: written.broadcast ?? false,
    ...(written.path === undefined ? {} : { path: written.path }),
    ...(everyMs === undefined ? {} : { everyMs }),
    why: written.why,
    source: listOf(written.source),
    ...(written.erratum === undefined ? {} : { erratum: written.erratum }),
    place: place('id'),
  };
}

function requirementOf(written: WrittenFlow['required']): Requirement {
  if (written === undefined || written === 'always') return { features: [], unless: [], optional: false };
  if (written === 'optional') return { features: [], unless: [], optional: true };
  return {
    features: listOf(written.feature),
    unless: listOf(written.unless),
    optional: written.optional ?? false,
    ...(written['one-of'] === undefined ? {} : { oneOf: written['one-of'] }),
  };
}

const CARRIERS = ['tcp', 'udp', 'ip', 'icmp'] as const;

function carrierOf(
  written: WrittenFlow,
  file: YamlFile,
  at: Path,
  problems: Problems,
): { readonly carrier: Carrier; readonly ports?: PortRange } {
  const given = CARRIERS.filter((key) => written[key] !== undefined);
  const [key, second] = given;
  if (key === undefined || second !== undefined) {
    problems.add(() =>
      second === undefined
        ? { place: file.place(at), what: 'the flow has no transport', expected: 'one of tcp, udp, ip, icmp' }
        : {
            place: file.place([...at, second], 'key'),
            what: `the flow has ${given.map(quoted).join(' and ')}`,
            expected: 'one transport; the other is a flow of its own',
          },
    );
    return { carrier: 'tcp' };
  }
  if (key === 'icmp') return { carrier: 'icmp' };
  if (key === 'ip') return { carrier: { ipProtocol: written.ip ?? 0 } };
  return { carrier: key, ports: portsOf(written[key] ?? 0) };
}

function warnOfUnused(file: YamlFile, known: Known, flows: readonly Flow[], problems: Problems): void {
  const roles = new Set(flows.flatMap((flow) => [...flow.from, ...flow.to]));
  const features = new Set(flows.flatMap(({ required }) => [...required.features, ...required.unless]));
  for (const role of known.roles) {
    if (!roles.has(role)) {
      problems.warn({ place: file.place(['roles', role], 'key'), what: `no flow has the role ${quoted(role)}` });
    }
  }
  for (const feature of known.features) {
    if (!features.has(feature)) {
      problems.warn({
        place: file.place(['features', feature], 'key'),
        what: `no flow asks for the feature ${quoted(feature)}`,
      });
    }
  }
}
