// One issuer on many hosts, seen across a run: what a TLS-inspecting proxy looks like where no site names an identity.
// A hint and never a verdict: a company's own CA looks alike.
import type { CheckRecord } from '../contract/verdict.js';
import { decidingAttempt } from './askings.js';
import { tlsShown, type TlsEvidence } from './identity.js';
import { targetOf } from './liveness.js';
import { listed, quoted } from './wording.js';

interface Shown {
  readonly record: CheckRecord;
  readonly role: string;
  readonly address: string;
  readonly tls: TlsEvidence;
}

/**
 * A warning for each record that shares its key, under another name, or its untrusted issuer with a host of another role.
 * Proxies sign with one CA and commonly reuse one key for every certificate they make up. Hosts of one role are related,
 * and so are those that verify against a CA the system or the site trusts.
 */
export function issuerWarnings(records: readonly CheckRecord[]): ReadonlyMap<CheckRecord, string> {
  const shown = records.flatMap(shownBy);
  const byKey = new Sharers(
    (item) => item.tls.pin,
    ({ tls }) => tls.subject ?? '',
  );
  const byIssuer = new Sharers(untrustedIssuer, () => '');
  for (const item of shown) {
    byKey.add(item);
    byIssuer.add(item);
  }
  const warnings = new Map<CheckRecord, string>();
  const settle = "the site file's `pin` or `issuer` would settle it";
  for (const item of shown) {
    const sameKey = byKey.unrelatedTo(item, (name) => name !== (item.tls.subject ?? ''));
    const sameIssuer = byIssuer.unrelatedTo(item, () => true);
    if (sameKey !== undefined) {
      warnings.set(item.record, `the same key is shown by ${sameKey} under another name: probably a proxy; ${settle}`);
    } else if (sameIssuer !== undefined) {
      const issuer = quoted(item.tls.issuer ?? '');
      warnings.set(
        item.record,
        `${issuer} also signed for ${sameIssuer}: a CA of your own, or a proxy on the way; ${settle}`,
      );
    }
  }
  return warnings;
}

function shownBy(record: CheckRecord): Shown[] {
  const address = targetOf(record);
  const tls = tlsShown(record);
  if (address === undefined || tls === undefined || record.check.identity !== undefined) return [];
  return [{ record, role: record.check.to.role, address, tls }];
}

/** Hosts that share a trait, kept by role and name so that a run of thousands is not compared each with each. */
class Sharers {
  readonly #trait: (item: Shown) => string | undefined;
  readonly #name: (item: Shown) => string;
  readonly #groups = new Map<string, Map<string, { role: string; name: string; addresses: Set<string> }>>();

  constructor(trait: (item: Shown) => string | undefined, name: (item: Shown) => string) {
    this.#trait = trait;
    this.#name = name;
  }

  add(item: Shown): void {
    const trait = this.#trait(item);
    if (trait === undefined) return;
    const group = this.#groups.get(trait) ?? new Map<string, { role: string; name: string; addresses: Set<string> }>();
    this.#groups.set(trait, group);
    const name = this.#name(item);
    const key = JSON.stringify([item.role, name]);
    const entry = group.get(key) ?? { role: item.role, name, addresses: new Set<string>() };
    group.set(key, entry);
    entry.addresses.add(item.address);
  }

  /** Up to three of them in words, and whether there are more. */
  unrelatedTo(item: Shown, named: (name: string) => boolean): string | undefined {
    const trait = this.#trait(item);
    const group = trait === undefined ? undefined : this.#groups.get(trait);
    const found = new Set<string>();
    for (const { role, name, addresses } of group?.values() ?? []) {
      if (role === item.role || !named(name)) continue;
      for (const address of addresses) {
        if (address !== item.address) found.add(address);
        if (found.size > 3) return listed([...[...found].slice(0, 3), 'others']);
      }
    }
    return found.size === 0 ? undefined : listed([...found]);
  }
}

/** Signed by somebody that neither the system nor the site trusts, and not by itself. */
function untrustedIssuer({ record, tls }: Shown): string | undefined {
  const outcome = decidingAttempt(record.attempts)?.outcome;
  const trusted = outcome !== undefined && 'facts' in outcome && outcome.facts['trusted'] === true;
  return tls.issuer !== tls.subject && tls.bySiteCa !== true && !trusted ? tls.issuer : undefined;
}
