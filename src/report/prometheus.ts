// Metrics for the textfile collector of Prometheus' node exporter, in its text exposition format. Names of blackbox_exporter
// where they mean the same; everything else begins with linecheck_. All labels come from the site, the profile and closed
// lists of words, nothing from the wire, so that a host cannot make series.
import type { Report, ReportedCheck } from '../contract/report.js';
import { decision } from './account.js';
import { epochSeconds, seconds } from './instant.js';
import { clean } from './layout.js';

type Labels = Readonly<Record<string, string | undefined>>;

interface Sample {
  readonly labels?: Labels;
  /** Labels as they are written, before the others. */
  readonly written?: string;
  readonly value: string;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

export function prometheus(report: Report): string {
  return [...runMetrics(report), ...checkMetrics(report)]
    .filter(({ samples }) => samples.length > 0)
    .map((metric) => family(metric, report.site))
    .join('');
}

function family({ name, help, samples }: Metric, site: string | undefined): string {
  const first = written({ site });
  const lines = samples.map((sample) => {
    const labels = [first, sample.written ?? '', written(sample.labels ?? {})].filter((each) => each !== '').join(',');
    return `${name}${labels === '' ? '' : `{${labels}}`} ${sample.value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`;
}

/** A label without a value is no label to Prometheus. */
function written(labels: Labels): string {
  return Object.entries(labels)
    .flatMap(([name, value]) => (value === undefined || value === '' ? [] : [`${name}="${escaped(value)}"`]))
    .join(',');
}

/** Exposition formats, "Text format details": backslash, double quote and line feed. Control characters go. */
function escaped(value: string): string {
  return clean(value).replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}

const states = ['ok', 'warning', 'critical', 'unknown'] as const;

function runMetrics({ checks, summary, startedAt, durationMs, interrupted, tool }: Report): Metric[] {
  const began = epochSeconds(startedAt);
  const tallies = [['true', summary.required] as const, ['false', summary.optional] as const];
  const one = (name: string, help: string, value: number | string | undefined): Metric => ({
    name,
    help,
    samples: value === undefined ? [] : [{ value: String(value) }],
  });
  return [
    {
      name: 'linecheck_build_info',
      help: 'What made these metrics, and how much it can see.',
      samples: [{ labels: { version: tool.version, tier: String(tool.tier) }, value: '1' }],
    },
    one('linecheck_run_timestamp_seconds', 'When the run began, in seconds since 1970.', began),
    one('linecheck_run_duration_seconds', 'How long the run took.', seconds(durationMs)),
    one('linecheck_run_complete', '1 where the run went to its end, 0 where it was cut short.', interrupted ? 0 : 1),
    one('linecheck_exit_code', 'The exit code of the run.', summary.exitCode),
    {
      name: 'linecheck_state',
      help: '1 for the one state that the run is in.',
      samples: states.map((state) => ({ labels: { state }, value: summary.state === state ? '1' : '0' })),
    },
    {
      name: 'linecheck_flows',
      help: 'Checks of the run by result.',
      samples: tallies.flatMap(([required, tally]) =>
        (['pass', 'fail', 'unproven'] as const).map((result) => ({
          labels: { required, result },
          value: String(tally[result]),
        })),
      ),
    },
    one('linecheck_flows_deciding', 'Checks that decide the result of the run.', decision(checks).deciding.length),
    one('linecheck_flows_accepted', 'Required checks that are unproven and accepted.', summary.accepted),
    one('linecheck_flows_not_counted', 'Checks that fail and are left out by --fail-on.', summary.uncounted ?? 0),
    one('linecheck_flows_skipped', 'Flows of the profiles without a check.', summary.skipped),
  ];
}

function checkMetrics({ checks }: Report): Metric[] {
  const identities = identitiesOf(checks);
  const each = (
    name: string,
    help: string,
    of: (check: ReportedCheck) => readonly Sample[] | string | undefined,
  ): Metric => ({
    name,
    help,
    samples: checks.flatMap((check, at) => {
      const found = of(check) ?? [];
      const samples = typeof found === 'string' ? [{ value: found }] : found;
      const identity = identities[at] ?? '';
      return samples.map((sample) => ({ ...sample, written: identity }));
    }),
  });
  return [
    // Not proven is not a success, or what falls silent would look well.
    each('probe_success', '1 where the check passes, 0 where it fails or is unproven.', ({ result }) =>
      result === 'pass' ? '1' : '0',
    ),
    each('probe_duration_seconds', 'How long the check took, all askings together.', (check) =>
      check.attempts === 0 ? undefined : seconds(check.durationMs),
    ),
    each('probe_dns_lookup_time_seconds', 'How long looking up the name took.', ({ timings: { resolveMs } }) =>
      resolveMs === undefined ? undefined : seconds(resolveMs),
    ),
    each('probe_ip_protocol', '4 or 6: over which IP the check was asked.', ({ attempts, to: { address } }) =>
      attempts === 0 || address === undefined ? undefined : address.includes(':') ? '6' : '4',
    ),
    each('probe_http_duration_seconds', 'How long each phase of the HTTP request took.', (check) =>
      check.probe === 'http' || check.probe === 'https' ? phases(check, 'processing') : undefined,
    ),
    each('probe_http_status_code', 'The status code of the HTTP answer.', ({ facts: { status }, probe }) =>
      (probe === 'http' || probe === 'https') && typeof status === 'number' ? String(status) : undefined,
    ),
    each(
      'probe_ssl_earliest_cert_expiry',
      'When the certificate of the far end expires, in seconds since 1970.',
      ({ facts }) => {
        const expiry = typeof facts['notAfter'] === 'string' ? epochSeconds(facts['notAfter']) : undefined;
        return expiry === undefined ? undefined : String(expiry);
      },
    ),
    each('linecheck_check_verdict', 'What was found of each check, always 1; the labels say what.', verdictOf),
    each('linecheck_check_info', 'Which flow each check is about, always 1.', infoOf),
    each('linecheck_check_phase_seconds', 'How long each step of a check took.', (check) => phases(check, 'reply')),
    each('linecheck_check_attempts', 'How often each check was asked.', ({ attempts }) => String(attempts)),
  ];
}

/**
 * Of each series: the id tells checks apart, the others are for selecting. One series twice makes the collector refuse
 * the whole file, so an id that comes again is numbered.
 */
function identitiesOf(checks: readonly ReportedCheck[]): readonly string[] {
  const seen = new Map<string, number>();
  return checks.map(({ id, profile, flow }) => {
    const check = clean(id);
    const number = (seen.get(check) ?? 0) + 1;
    seen.set(check, number);
    return written({ check, profile, flow, number: number === 1 ? undefined : String(number) });
  });
}

function verdictOf(check: ReportedCheck): readonly Sample[] {
  const { verdict, how, certain, result, required, accepted, uncounted, warning } = check;
  const labels = {
    verdict,
    how,
    certain,
    result,
    required: String(required),
    accepted: accepted === true ? 'true' : undefined,
    not_counted: uncounted === true ? 'true' : undefined,
    warning: warning === undefined ? undefined : 'true',
  };
  return [{ labels, value: '1' }];
}

function infoOf({ title, from, to, carrier, probe, expect, group }: ReportedCheck): readonly Sample[] {
  const labels = {
    title,
    from: from.role,
    to: to.role,
    host: to.host,
    port: to.port === undefined ? undefined : String(to.port),
    carrier,
    probe,
    expect,
    group,
  };
  return [{ labels, value: '1' }];
}

function phases({ timings }: ReportedCheck, reply: 'reply' | 'processing'): readonly Sample[] {
  const steps = [
    ['resolve', timings.resolveMs],
    ['connect', timings.connectMs],
    ['tls', timings.tlsMs],
    [reply, timings.replyMs],
  ] as const;
  return steps.flatMap(([phase, ms]) => (ms === undefined ? [] : [{ labels: { phase }, value: seconds(ms) }]));
}
