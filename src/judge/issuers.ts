// One issuer on many hosts, seen across a run: what a TLS-inspecting proxy looks like where no site names an identity.
// A hint and never a verdict: a company's own CA looks alike.
import type { CheckRecord } from '../contract/verdict.js';
import { decidingAttempt } from './askings.js';
import { tlsShown, type TlsEvidence } from './identity.js';
import { targetOf } from './liveness.js';
import { listed, quoted } from './wording.js';

interface Shown {
  readonly record: CheckRecord;
  readonly address: string;
  readonly tls: TlsEvidence;
}

/**
 * A warning for each record that shares its key, under another name, or its untrusted issuer with a host of another role.
 * Proxies sign with one CA and commonly reuse one key for every certificate they make up. Hosts of one role are related,
 * and so are those that verify against a CA the system or the site trusts.
 */
export function issuerWarnings(records: readonly CheckRecord[]): ReadonlyMap<CheckRecord, string> {
  const shown: Shown[] = [];
  for (const record of records) {
    const address = targetOf(record);
    const tls = tlsShown(record);
    if (address !== undefined && tls !== undefined && record.check.identity === undefined) {
      shown.push({ record, address, tls });
    }
  }
  const warnings = new Map<CheckRecord, string>();
  for (const item of shown) {
    const unrelated = shown.filter(
      ({ address, record }) => address !== item.address && record.check.to.role !== item.record.check.to.role,
    );
    const sameKey = unrelated.filter(
      ({ tls }) => tls.pin !== undefined && tls.pin === item.tls.pin && tls.subject !== item.tls.subject,
    );
    const sameIssuer = untrusted(item)
      ? unrelated.filter((other) => untrusted(other) && other.tls.issuer === item.tls.issuer)
      : [];
    const hosts = (found: readonly Shown[]): string => {
      const addresses = [...new Set(found.map(({ address }) => address))];
      return listed(addresses.length > 3 ? [...addresses.slice(0, 3), `${addresses.length - 3} more`] : addresses);
    };
    const settle = "the site file's `pin` or `issuer` would settle it";
    if (sameKey.length > 0) {
      warnings.set(
        item.record,
        `the same key is shown by ${hosts(sameKey)} under another name: probably a proxy; ${settle}`,
      );
    } else if (sameIssuer.length > 0) {
      const issuer = quoted(item.tls.issuer ?? '');
      warnings.set(
        item.record,
        `${issuer} also signed for ${hosts(sameIssuer)}: a CA of your own, or a proxy on the way; ${settle}`,
      );
    }
  }
  return warnings;
}

/** Signed by somebody that neither the system nor the site trusts, and not by itself. */
function untrusted({ record, tls }: Shown): boolean {
  const outcome = decidingAttempt(record.attempts)?.outcome;
  const trusted = outcome !== undefined && 'facts' in outcome && outcome.facts['trusted'] === true;
  return tls.issuer !== undefined && tls.issuer !== tls.subject && tls.bySiteCa !== true && !trusted;
}
