// Exit codes: one pure function, a table for each code, and what may and may not be accepted.
import { describe, expect, it } from 'vitest';
import type { Outcome, UnableReason } from '../../src/contract/outcome.js';
import type { CheckRecord, Judged, RunRecord } from '../../src/contract/verdict.js';
import { exitCode, monitoringState, nagiosExitCode, uncounted } from '../../src/judge/exit.js';
import { judge } from '../../src/judge/judge.js';
import {
  FIREWALL,
  ambiguous,
  answered,
  lives,
  oneWay,
  record,
  refused,
  run,
  sent,
  silent,
  turnedAway,
  udp,
  unable,
} from './records.js';

const of = (checks: readonly CheckRecord[], accept: RunRecord['accept'] = []): readonly Judged[] =>
  judge({ checks, accept });
const pass = record({}, answered());
const fail = record({ flow: 'closed' }, refused());
const oneway = record({ ...udp, ...oneWay, flow: 'syslog' }, sent());
const mute = record({ ...udp, ...ambiguous, flow: 'radius' }, silent());
const broken = (reason: UnableReason): CheckRecord => record({ flow: reason }, unable(reason));
const optional = (outcome: Outcome): CheckRecord => record({ flow: 'extra', required: false }, outcome);

describe('the exit code', () => {
  it.each([
    ['0 where every required flow passes', of([pass, optional(refused())]), {}, 0],
    ['0 where a flow passes with a warning', of([record({}, turnedAway())]), {}, 0],
    ['1 where a required flow fails', of([pass, fail, oneway]), {}, 1],
    ['2 where there is nothing to check', of([]), {}, 2],
    ['3 where none fails and one is unproven', of([pass, oneway]), {}, 3],
    ['0 where its word is accepted', of([pass, oneway], ['one-way']), {}, 0],
    ['3 where another word is accepted', of([pass, oneway], ['no-peer']), {}, 3],
    ['0 where all is accepted', of([pass, oneway, mute], 'all'), {}, 0],
    ['0 where its flow is accepted', of([record({ ...udp, ...oneWay, acceptUnproven: true }, sent())]), {}, 0],
    ['0 where it is accepted at the end', of([pass, oneway]), { accept: ['one-way'] }, 0],
    ['1 where all that is unproven is accepted and one fails', of([fail, oneway], 'all'), {}, 1],
    ['3 where linecheck could not look, whatever else is accepted', of([pass, broken('no-resources')], 'all'), {}, 3],
    ['3 where a name could not be looked up, whatever else is accepted', of([pass, broken('resolver')], 'all'), {}, 3],
    ['0 where that very word is accepted', of([pass, broken('resolver')], ['resolver']), {}, 0],
    ['3 where the run was cut short', of([pass, broken('interrupted')], 'all'), { interrupted: 'max-time' }, 3],
    [
      '1 where the run was cut short and a flow failed before',
      of([fail, broken('interrupted')]),
      { interrupted: 'max-time' },
      1,
    ],
    ['0 where the time came when all was done', of([pass]), { interrupted: 'max-time' }, 0],
    ['130 on Ctrl-C, whatever was seen', of([fail]), { interrupted: 'SIGINT' }, 130],
    ['143 on SIGTERM, whatever was seen', of([pass]), { interrupted: 'SIGTERM' }, 143],
    ['4 where linecheck crashed', of([pass]), { crashed: true, interrupted: 'SIGINT' }, 4],
    ['1 where only optional flows were asked and one fails', of([optional(refused())]), {}, 1],
    ['3 where only optional flows were asked and none is proven', of([optional(silent(1000))]), {}, 3],
  ] as const)('is %s', (_, judged, ending, code) => {
    expect(exitCode(judged, ending)).toBe(code);
  });
});

describe('the exit code for Nagios', () => {
  it.each([
    ['0 OK where all passes', of([pass, optional(refused())]), {}, 0],
    ['0 OK where the unproven is accepted', of([pass, oneway], ['one-way']), {}, 0],
    ['1 WARNING where a flow passes with a warning', of([record({}, turnedAway())]), {}, 1],
    ['1 WARNING where a flow answers only after retries', of([record({}, [silent(), answered()])]), {}, 1],
    ['1 WARNING where one is unproven', of([pass, oneway]), {}, 1],
    ['1 WARNING where a name could not be looked up: that is the network', of([pass, broken('resolver')]), {}, 1],
    ['2 CRITICAL where a required flow fails', of([fail, oneway, broken('bug')]), {}, 2],
    ['2 CRITICAL where one failed before the run was ended', of([fail]), { interrupted: 'SIGTERM' }, 2],
    ['3 UNKNOWN where the run was ended', of([pass]), { interrupted: 'SIGTERM' }, 3],
    ['3 UNKNOWN where linecheck could not look', of([record({}, turnedAway()), broken('no-permission')]), {}, 3],
    ['3 UNKNOWN where a source port is taken', of([broken('address-in-use')]), {}, 3],
    ['3 UNKNOWN where the time ran out', of([pass, broken('interrupted')]), { interrupted: 'max-time' }, 3],
    ['3 UNKNOWN where there is nothing to check', of([]), {}, 3],
    ['3 UNKNOWN where linecheck crashed', of([fail]), { crashed: true }, 3],
  ] as const)('is %s', (_, judged, ending, code) => {
    expect(nagiosExitCode(judged, ending)).toBe(code);
  });
});

describe('failures that --fail-on leaves out', () => {
  const blocked = record({ flow: 'blocked' }, refused('prohibited', { by: FIREWALL }));
  const breach = record({ flow: 'breach', expect: 'blocked' }, answered());
  const extra = optional(refused());

  it.each([
    ['1 where one counts', of([pass, fail, blocked]), ['blocked'], 1, 'critical'],
    ['0 where none counts and something passes', of([pass, fail]), ['blocked'], 0, 'warning'],
    ['3 where none counts and nothing passes', of([fail]), ['blocked'], 3, 'warning'],
    ['3 where none counts and the rest is accepted', of([fail, oneway], ['one-way']), ['blocked'], 3, 'warning'],
    ['3 where none counts and one is unproven', of([pass, fail, oneway]), ['blocked'], 3, 'warning'],
    ['1 where a flow that must be blocked is not, whatever is named', of([pass, breach]), ['blocked'], 1, 'critical'],
    ['1 where only optional flows were asked and one that counts fails', of([extra]), ['closed'], 1, 'critical'],
    ['3 where only optional flows were asked and the failure is left out', of([extra]), ['blocked'], 3, 'warning'],
    ['0 where all passes, whatever is named', of([pass]), [], 0, 'ok'],
    ['2 where there is nothing to check, whatever is named', of([]), [], 2, 'unknown'],
  ] as const)('make it %s', (_, judged, failOn, code, state) => {
    expect(exitCode(judged, { failOn })).toBe(code);
    expect(monitoringState(judged, { failOn })).toBe(state);
  });

  it('are those of the flows that decide, and no others', () => {
    const judged = of([pass, fail, blocked, breach, extra, oneway]);
    const flows = (some: readonly Judged[]): readonly string[] => some.map((item) => item.record.check.flow);
    expect(flows(uncounted(judged, ['blocked']))).toEqual(['closed']);
    expect(flows(uncounted(judged, []))).toEqual(['closed', 'blocked']);
    expect(flows(uncounted(of([extra]), []))).toEqual(['extra']);
    expect(uncounted(judged, undefined)).toEqual([]);
  });

  it('never make a run greener than its failures: without any named word and any pass it is not 0', () => {
    const all = [fail, blocked, breach, oneway, mute];
    for (let subset = 1; subset < 2 ** all.length; subset += 1) {
      const judged = of(
        all.filter((_, at) => ((subset >> at) & 1) === 1),
        'all',
      );
      const failing = judged.some(({ result }) => result === 'fail');
      if (failing) expect(exitCode(judged, { failOn: [] })).not.toBe(0);
    }
  });
});

describe('what is accepted', () => {
  it('is said of unproven checks only', () => {
    const judged = judge({ checks: [pass, fail, oneway, lives], accept: 'all' });
    expect(judged.map(({ accepted }) => accepted)).toEqual([false, false, true, false]);
  });

  it('includes a segmentation test that stayed unproven only when accepted', () => {
    const silentNegative = record({ expect: 'blocked' }, silent());
    expect(exitCode(judge(run(silentNegative)), {})).toBe(3);
    expect(exitCode(of([silentNegative], ['silent']), {})).toBe(0);
  });
});
