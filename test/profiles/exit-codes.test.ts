// Whether conditions and alternatives of the profiles make the exit code right: what may cover for what, and what may not.
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/contract/outcome.js';
import type { CheckRecord } from '../../src/contract/verdict.js';
import { exitCode } from '../../src/judge/exit.js';
import { judge } from '../../src/judge/judge.js';
import type { Profile } from '../../src/plan/profile.js';
import { answered, attempt, refused, sent, silent } from '../judge/records.js';
import { planOf, type Given } from './plans.js';
import { ownProfile } from './rows.js';

const cisco = ownProfile('cisco-secure-firewall');
const uplogix = ownProfile('uplogix-local-manager');

/** The exit code where the flows asked from here saw this; a flow that is planned and not told of is a mistake. */
async function exitOf(profile: Profile, given: Given, outcomes: Readonly<Record<string, Outcome>>): Promise<number> {
  const { checks } = await planOf(profile, given);
  const records = checks.map((check): CheckRecord => {
    const outcome = outcomes[check.flow];
    if (outcome === undefined) throw new Error(`nothing is told of ${check.id}`);
    const address = check.to.host === 'ldap.example.net' ? '192.0.2.99' : (check.to.host ?? '');
    return { check: { ...check, to: { ...check.to, address } }, attempts: [attempt(outcome)], evidence: [] };
  });
  return exitCode(judge({ checks: records, accept: [] }), {});
}

describe('audit logs of the Management Center', () => {
  const here = 'management-center';
  const flows = ['management-center-syslog*', 'syslog-server-test'];

  it('go to UDP 514 without TLS, which only the far end can prove', async () => {
    const given = { here, flows, features: ['audit-logging'] };
    expect(await exitOf(cisco, given, { 'syslog-server-test': answered(), 'management-center-syslog': sent() })).toBe(
      3,
    );
    expect(
      await exitOf(cisco, given, { 'syslog-server-test': answered(), 'management-center-syslog': refused() }),
    ).toBe(1);
  });

  it('go to TCP 6514 with TLS, and no open 514 makes up for a shut one', async () => {
    const given = { here, flows, features: ['audit-logging', 'syslog-tls'] };
    const { checks, skipped } = await planOf(cisco, given);
    expect(checks.map(({ flow, required, group }) => [flow, required, group])).toEqual([
      ['syslog-server-test', true, undefined],
      ['management-center-syslog-tls', true, undefined],
    ]);
    expect(skipped).toContainEqual(
      expect.objectContaining({
        flow: 'management-center-syslog',
        reason: { kind: 'unless', feature: 'syslog-tls' },
      }),
    );
    const open = { 'syslog-server-test': answered() };
    expect(await exitOf(cisco, given, { ...open, 'management-center-syslog-tls': refused() })).toBe(1);
    expect(await exitOf(cisco, given, { ...open, 'management-center-syslog-tls': answered('secure') })).toBe(0);
  });

  it('are asked for over TLS where only that feature is named', async () => {
    const given = { here, flows, features: ['syslog-tls'] };
    expect(await exitOf(cisco, given, { 'management-center-syslog-tls': refused() })).toBe(1);
  });
});

describe('audit logs of a device', () => {
  const given = { here: 'managed-device', flows: ['managed-device-syslog*'] };

  it('fail nothing over TLS, of which the document names no port, and are not asked for over UDP then', async () => {
    const { checks } = await planOf(cisco, { ...given, features: ['audit-logging', 'syslog-tls'] });
    expect(checks.map(({ flow, required }) => [flow, required])).toEqual([['managed-device-syslog-tls', false]]);
  });

  it('are required over UDP else', async () => {
    const udp = { ...given, features: ['audit-logging'] };
    expect(await exitOf(cisco, udp, { 'managed-device-syslog': refused() })).toBe(1);
  });
});

describe.each(['management-center', 'managed-device'])('LDAP of %s', (here) => {
  const flows = [`${here}-ldap*`];
  const saw = (ldap: Outcome, ldaps: Outcome): Record<string, Outcome> => ({
    [`${here}-ldap`]: ldap,
    [`${here}-ldaps`]: ldaps,
  });

  it('wants one of 389 and 636', async () => {
    const given = { here, flows, features: ['ldap'] };
    expect(await exitOf(cisco, given, saw(refused(), answered()))).toBe(0);
    expect(await exitOf(cisco, given, saw(answered(), refused()))).toBe(0);
    expect(await exitOf(cisco, given, saw(refused(), refused()))).toBe(1);
  });

  it('wants 636 where all is LDAPS, however open 389 is', async () => {
    const given = { here, flows, features: ['ldap', 'ldaps-only'] };
    expect(await exitOf(cisco, given, saw(answered(), refused()))).toBe(1);
    expect(await exitOf(cisco, given, saw(answered(), answered()))).toBe(0);
  });
});

describe.each(['management-center', 'managed-device'])('RADIUS of %s', (here) => {
  it('wants accounting as well as authentication', async () => {
    const given = { here, flows: [`${here}-radius*`], features: ['radius'] };
    const open = `${here}-radius`;
    expect(await exitOf(cisco, given, { [open]: answered(), [`${open}-accounting`]: refused() })).toBe(1);
    expect(await exitOf(cisco, given, { [open]: refused(), [`${open}-accounting`]: answered() })).toBe(1);
    expect(await exitOf(cisco, given, { [open]: answered(), [`${open}-accounting`]: answered() })).toBe(0);
  });
});

describe('the Local Manager', () => {
  const here = 'local-manager';

  it('wants one of RADIUS 1812 and 1645, and no silence of both', async () => {
    const given = { here, flows: ['radius-*'], features: ['radius'] };
    expect(await exitOf(uplogix, given, { 'radius-1812': refused(), 'radius-1645': answered() })).toBe(0);
    expect(await exitOf(uplogix, given, { 'radius-1812': answered(), 'radius-1645': silent() })).toBe(0);
    expect(await exitOf(uplogix, given, { 'radius-1812': refused(), 'radius-1645': refused() })).toBe(1);
    expect(await exitOf(uplogix, given, { 'radius-1812': silent(), 'radius-1645': silent() })).toBe(3);
  });

  it('wants one of SCP and FTP for each of its exports', async () => {
    const given = { here, flows: ['*-export-*'], features: ['config-export', 'statistics-export'] };
    const scp = { 'config-export-scp': answered(), 'statistics-export-scp': answered() };
    const ftp = { 'config-export-ftp': refused(), 'statistics-export-ftp': refused() };
    expect(await exitOf(uplogix, given, { ...scp, ...ftp })).toBe(0);
    expect(await exitOf(uplogix, given, { ...scp, ...ftp, 'statistics-export-scp': refused() })).toBe(1);
  });

  it('wants every port of a host that stands behind several virtual ports', async () => {
    const given = { here, flows: ['virtual-port-ssh'], features: ['virtual-port-ssh'] };
    const { checks } = await planOf(uplogix, given);
    expect(checks.map(({ to, group, required }) => [to.host, to.port, group, required])).toEqual([
      ['192.0.2.15', 2001, undefined, true],
      ['192.0.2.15', 2002, undefined, true],
      ['192.0.2.16', 22, undefined, true],
    ]);
  });

  it('asks heartbeat, archiving and Pulse though no feature is named', async () => {
    const { checks } = await planOf(uplogix, { here, features: [] });
    expect(checks.filter(({ required }) => required).map(({ flow }) => flow)).toEqual([
      'heartbeat',
      'archiving',
      'pulse',
    ]);
  });
});
