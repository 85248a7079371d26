// The schema of reports and run events: zod for those who read them back, JSON Schema for everybody else's programs.
// The only file of this room that loads zod.
import { z } from 'zod';

const ms = (): z.ZodNumber => z.number().min(0);
const port = (): z.ZodInt => z.int().min(0).max(65_535);

const depth = z.enum(['port', 'secure', 'protocol', 'service']);
const fact = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);
const facts = z.record(z.string(), fact).meta({ id: 'Facts', description: 'What the probe saw, by name.' });

const timings = z
  .strictObject({
    resolveMs: z.exactOptional(ms()).describe('Looking up the name.'),
    connectMs: z.exactOptional(ms()).describe('TCP handshake.'),
    tlsMs: z.exactOptional(ms()).describe('TLS handshake.'),
    replyMs: z.exactOptional(ms()).describe('From the question to the first bytes of the answer.'),
  })
  .meta({ id: 'Timings', description: 'Milliseconds; a step that did not happen is absent.' });

const outcome = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('answered'), depth: depth.describe('How deep the answer proves.'), facts }),
    z.strictObject({
      kind: z.literal('turned-away'),
      presented: z.enum(['secret', 'credentials', 'client']).describe('What was presented and refused.'),
      by: z.string().describe('Who refused it, and with which word.'),
      facts,
    }),
    z.strictObject({
      kind: z.literal('stranger'),
      came: z.enum(['other-protocol', 'silence', 'close', 'reset']).describe('What came instead of the protocol.'),
      detail: z.string().describe('The same for a person.'),
      facts,
    }),
    z.strictObject({
      kind: z.literal('refused'),
      signal: z
        .enum([
          'refused',
          'reset',
          'port-unreachable',
          'host-unreachable',
          'net-unreachable',
          'protocol-unreachable',
          'prohibited',
          'no-neighbour',
          'no-route',
          'local-firewall',
        ])
        .describe('How the refusal showed.'),
      afterMs: ms().describe('From our packet to the refusal.'),
      by: z.exactOptional(z.string()).describe('The address that refused.'),
      ttl: z.exactOptional(z.int().min(0).max(255)).describe('TTL or hop limit of the refusing packet.'),
    }),
    z.strictObject({
      kind: z.literal('silent'),
      sent: z.int().min(0).describe('Packets of ours, where we know; 1 for TCP.'),
      waitedMs: ms(),
    }),
    z.strictObject({
      kind: z.literal('sent'),
      sent: z.int().min(0).describe('Packets of ours that nothing refused.'),
      waitedMs: ms(),
    }),
    z.strictObject({
      kind: z.literal('unable'),
      reason: z
        .enum([
          'no-resources',
          'no-permission',
          'address-in-use',
          'no-source',
          'no-family',
          'resolver',
          'interrupted',
          'bug',
        ])
        .describe('Why this machine could not look.'),
      detail: z.string(),
    }),
  ])
  .meta({ id: 'Outcome', description: 'What one asking saw; never good or bad.' });

const seen = {
  t: z.number().describe('Milliseconds since the check began.'),
  source: z.enum(['attempt', 'diagnose', 'peer']).describe('What looked.'),
};

const sized = z.strictObject({ bytes: z.int().min(0), answered: z.boolean() });

const evidence = z
  .discriminatedUnion('kind', [
    z.strictObject({
      ...seen,
      kind: z.literal('icmp'),
      from: z.string().describe('Sender of the ICMP error.'),
      type: z.int().min(0).max(255),
      code: z.int().min(0).max(255),
      ttl: z.exactOptional(z.int().min(0).max(255)).describe('TTL of the error packet itself.'),
      hop: z.exactOptional(z.int().min(0).max(255)).describe('The TTL our packet left with.'),
    }),
    z.strictObject({
      ...seen,
      kind: z.literal('reset'),
      ttl: z.exactOptional(z.int().min(0).max(255)),
      phase: z.enum(['connect', 'data']),
    }),
    z.strictObject({
      ...seen,
      kind: z.literal('alive'),
      address: z.string(),
      ttl: z.exactOptional(z.int().min(0).max(255)),
      by: z.enum(['handshake', 'data', 'reply', 'refusal', 'echo', 'neighbour']).describe('What told so.'),
    }),
    z.strictObject({
      ...seen,
      kind: z.literal('path'),
      hops: z.array(
        z.strictObject({
          hop: z.int().min(1).describe('Counted from 1.'),
          address: z.exactOptional(z.string()).describe('Absent where nothing answered.'),
          rttMs: z.exactOptional(ms()),
        }),
      ),
      reached: z.boolean(),
    }),
    z.strictObject({
      ...seen,
      kind: z.literal('control'),
      port: port(),
      role: z.enum(['shut', 'open']).describe('A port that must not accept, or another flow that passes.'),
      outcome,
    }),
    z.strictObject({
      ...seen,
      kind: z.literal('acked'),
      sent: z.int().min(0).describe('Bytes of ours.'),
      acked: z.int().min(0).describe('How many of them the far TCP acknowledged.'),
    }),
    z.strictObject({
      ...seen,
      kind: z.literal('tls'),
      issuer: z.exactOptional(z.string()),
      subject: z.exactOptional(z.string()),
      pin: z.exactOptional(z.string()).describe('SHA-256 of the SubjectPublicKeyInfo, base64.'),
      notBefore: z.exactOptional(z.string()).describe('ISO 8601, UTC.'),
      bySiteCa: z.exactOptional(z.boolean()).describe('Whether the chain verifies against the CA that the site names.'),
    }),
    z.strictObject({ ...seen, kind: z.literal('size'), small: sized, large: sized }),
    z.strictObject({
      ...seen,
      kind: z.literal('receipt'),
      arrived: z.boolean().describe('Whether the peer received it.'),
      from: z.exactOptional(z.string()).describe('The address it came from there.'),
      sentBack: z.boolean(),
    }),
  ])
  .meta({ id: 'Evidence', description: 'What was seen beside the outcome.' });

const verdictWord = z.enum([
  'open',
  'denied',
  'closed',
  'blocked',
  'unreachable',
  'intercepted',
  'wrong-service',
  'unproven',
  'error',
]);

const how = z.enum([
  'secret',
  'credentials',
  'client',
  'reset',
  'port-unreachable',
  'refused',
  'rejected',
  'dropped',
  'payload-dropped',
  'oversize-dropped',
  'local',
  'no-route',
  'no-host',
  'no-address',
  'silent',
  'issuer',
  'ttl',
  'control-port',
  'receipt',
  'stranger',
  'closed',
  'silence',
  'one-way',
  'no-peer',
  'no-permission',
  'port-in-use',
  'shallow',
  'interrupted',
  'no-resources',
  'resolver',
  'bug',
]);

const proof = z.enum([
  'service',
  'protocol',
  'secure',
  'port',
  'receipt',
  'rejection',
  'reset',
  'errno',
  'path',
  'control',
  'ttl',
  'tls',
  'acked',
  'size',
  'resolver',
  'neighbours',
  'silence',
]);

const result = z.enum(['pass', 'fail', 'unproven']);

const check = z
  .strictObject({
    id: z
      .string()
      .describe(
        'Stable from run to run: profile/flow[~back]/fromRole/host/carrier-port[/address], the address only where the host is a name.',
      ),
    profile: z.string().describe('Id of the profile.'),
    flow: z.string().describe('Id of the flow within its profile.'),
    title: z.string(),
    required: z.boolean().describe('After alternatives: false for the optional and the other members of a group.'),
    group: z.exactOptional(z.string()).describe('Members of one group on one target are alternatives.'),
    expect: z.enum(['open', 'blocked']).describe('What the site wants of this flow.'),
    reach: z.enum(['path', 'port', 'secure', 'protocol', 'service']).describe('How deep the answer must prove.'),
    from: z.strictObject({ role: z.string(), address: z.exactOptional(z.string()) }),
    to: z.strictObject({
      role: z.string(),
      host: z.exactOptional(z.string()).describe('As the site writes it.'),
      address: z.exactOptional(z.string()).describe('The address that was asked.'),
      port: z.exactOptional(port()),
    }),
    via: z.exactOptional(z.string()).describe('What it went through, where that was not the plain route.'),
    carrier: z.string().describe('tcp, udp, icmp, or ip- and a protocol number.'),
    probe: z.string(),
    verdict: verdictWord.describe('What outcome and evidence mean for the flow.'),
    result: result.describe('The verdict against the expectation.'),
    certain: z.enum(['proven', 'likely']),
    proof: z.array(proof).describe('What the verdict rests on.'),
    how: z.exactOptional(how).describe('The kind of the verdict.'),
    by: z
      .exactOptional(
        z.strictObject({
          address: z.string(),
          icmp: z.exactOptional(z.strictObject({ type: z.int().min(0).max(255), code: z.int().min(0).max(255) })),
        }),
      )
      .describe('Who stops it, where known.'),
    after: z
      .exactOptional(z.strictObject({ hop: z.int().min(0), address: z.string() }))
      .describe('The last hop that was seen before it vanished.'),
    direction: z.exactOptional(z.enum(['forward', 'return', 'unknown'])).describe('Which way it is stopped.'),
    accepted: z.exactOptional(z.boolean()).describe('Unproven, and the site or the command line accepts that.'),
    uncounted: z
      .exactOptional(z.boolean())
      .describe('It fails, and does not count for the exit code: --fail-on does not name its verdict.'),
    warning: z.exactOptional(z.string()).describe('A pass that deserves a look.'),
    summary: z.string().describe('One sentence for a person.'),
    advice: z.exactOptional(z.string()).describe('What to do next, and whom to ask.'),
    facts,
    timings,
    attempts: z.int().min(0).describe('Askings, those of the second look included.'),
    durationMs: ms(),
    evidence: z.array(evidence),
    source: z.array(z.string()).describe('The rows of the vendor document.'),
    place: z
      .exactOptional(z.strictObject({ file: z.string(), line: z.int().min(1), column: z.int().min(1) }))
      .describe('Where the site file, or else the profile, asks for it; line and column count from 1.'),
  })
  .meta({ id: 'Check', description: 'One flow bound to one source and one target, and what became of it.' });

const tally = z
  .strictObject({ pass: z.int().min(0), fail: z.int().min(0), unproven: z.int().min(0) })
  .meta({ id: 'Tally', description: 'Checks by result.' });

const summary = z
  .strictObject({
    required: tally,
    optional: tally,
    skipped: z.int().min(0).describe('Flows without a check.'),
    accepted: z.int().min(0).describe('Unproven required checks that are accepted; they count as unproven above.'),
    failOn: z.exactOptional(z.array(verdictWord)).describe('The verdicts whose failures count; absent: all.'),
    uncounted: z
      .exactOptional(z.int().min(0))
      .describe('Deciding checks that fail and do not count; they count as failing above.'),
    exitCode: z.literal([0, 1, 2, 3, 4, 130, 143]),
    state: z
      .exactOptional(z.enum(['ok', 'warning', 'critical', 'unknown']))
      .describe('The result for a monitoring system, whatever convention the exit code follows.'),
    byVerdict: z.partialRecord(verdictWord, z.int().min(0)).describe('Checks by verdict; absent where there is none.'),
  })
  .meta({ id: 'Summary' });

const tool = z
  .strictObject({
    name: z.literal('linecheck'),
    version: z.string(),
    node: z.string(),
    platform: z.string(),
    tier: z.literal([1, 2, 3]).describe('1 plain Node, 2 the error queue without root, 3 raw sockets.'),
    can: z.array(z.enum(['errno', 'error-queue', 'ttl', 'tcp-info', 'raw'])).describe('What this machine can see.'),
  })
  .meta({ id: 'Tool' });

const site = z.exactOptional(z.string()).describe('The name of the site.');
const startedAt = z.iso.datetime().describe('ISO 8601, UTC.');
const cutBy = z.enum(['SIGINT', 'SIGTERM', 'max-time']);
const cutWords = 'What cut the run short; then the report is partial.';

export const reportSchema = z
  .strictObject({
    schema: z.literal('linecheck/report/v1').describe('The format of this file.'),
    tool,
    site,
    startedAt,
    durationMs: ms(),
    interrupted: z.exactOptional(cutBy).describe(cutWords),
    notices: z.array(z.string()).describe('About the run as a whole.'),
    summary,
    checks: z.array(check).describe('In plan order.'),
    skipped: z
      .array(
        z.strictObject({
          profile: z.string(),
          flow: z.string(),
          title: z.string(),
          kind: z.enum(['feature-off', 'unless', 'role-none', 'elsewhere', 'no-route-for-family', 'deselected']),
          reason: z.string().describe('A sentence.'),
        }),
      )
      .describe('Flows of the profiles that have no check, and why.'),
  })
  .describe('The report of one linecheck run. Keys that do not apply are absent; times are milliseconds.');

const t = z.number().min(0).describe('Milliseconds since the run began.');

const wire = z
  .discriminatedUnion('kind', [
    z.strictObject({
      t: z.number().describe('Milliseconds since the attempt began.'),
      kind: z.enum(['connecting', 'connected', 'secured', 'ended', 'reset', 'refused', 'note']),
      text: z.string(),
    }),
    z.strictObject({
      t: z.number().describe('Milliseconds since the attempt began.'),
      kind: z.enum(['sent', 'received']),
      bytes: z.int().min(0),
      hex: z.exactOptional(z.string()).describe('Absent for what was sent as secret.'),
      text: z.exactOptional(z.string()),
    }),
  ])
  .meta({ id: 'WireEvent' });

export const runEventSchema = z
  .discriminatedUnion('event', [
    z.strictObject({
      event: z.literal('started'),
      t,
      schema: z.literal('linecheck/run-event/v1').describe('The format of this stream.'),
      tool,
      site,
      startedAt,
      checks: z.int().min(0).describe('Checks planned, after names were resolved.'),
      asked: z.int().min(0).describe('Those of them that this machine asks; the others only a peer could.'),
      skipped: z.int().min(0),
    }),
    z.strictObject({
      event: z.literal('attempt'),
      t,
      checks: z.array(z.string()).describe('Ids of the checks that share this asking.'),
      attempt: z.int().min(0).describe('Which asking of them this was.'),
      outcome,
      timings,
      durationMs: ms(),
      retrying: z.boolean().describe('It will be asked again.'),
      wire: z.optional(z.array(wire)).describe('Only with --verbose.'),
    }),
    z.strictObject({
      event: z.literal('diagnosing'),
      t,
      check: z.string().describe('Id of the check that gets a second look.'),
      look: z.string(),
    }),
    z.strictObject({
      event: z.literal('check'),
      t,
      check: check.describe('Final: judged with the whole run in view.'),
    }),
    z.strictObject({
      event: z.literal('finished'),
      t,
      durationMs: ms(),
      interrupted: z.optional(cutBy).describe(cutWords),
      summary,
    }),
  ])
  .describe('One line of the stream of a run.');

/** JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export function reportJsonSchema(): JsonSchema {
  return { ...z.toJSONSchema(reportSchema), title: 'linecheck report' };
}

export function runEventJsonSchema(): JsonSchema {
  return { ...z.toJSONSchema(runEventSchema), title: 'linecheck run event' };
}
