// What the command line selects, beside a site or instead of one. The flags' names live here; argv does not.
import type { Family } from '../contract/flow.js';
import { parseHost, sourceProblem } from './address.js';
import { quoted, type Placed, type Problems } from './problem.js';
import type { SiteHost } from './site.js';

export interface Selection {
  /** `--as ROLE`, or `PROFILE/ROLE`; instead of the site's `here`. */
  readonly as: readonly string[];
  /** `--host ROLE=ADDR[,ADDR]`, also `PROFILE/ROLE=none`; instead of that role's hosts in the site. */
  readonly hosts: readonly string[];
  /** `--feature F`; beside the site's. */
  readonly features: readonly string[];
  /** `--flow GLOB`, over `profile/flow` or the bare flow id. */
  readonly flows: readonly string[];
  readonly source?: string;
  readonly login?: boolean;
  readonly family?: Family | 'any';
}

/** A name as somebody wrote it: in a file at its place, or in a flag, which then stands in the sentence. */
export type Reference = Placed<string> & { readonly flag?: string };

/** The names that a flag was given. */
export function flagged(flag: string, values: readonly string[]): readonly Reference[] {
  return values.map((value) => ({ value, flag: `${flag} ${printed(value)}` }));
}

/** A flag's value as it was typed, where that is harmless. */
function printed(value: string): string {
  return /^[\w./:%=,*?@~+-]{1,80}$/.test(value) ? value : quoted(value);
}

export interface SelectedHosts {
  readonly role: Reference;
  readonly hosts: 'none' | readonly SiteHost[];
}

/** The hosts that `--host` names; the same role several times adds up. */
export function selectedHosts(flags: readonly string[], problems: Problems): readonly SelectedHosts[] {
  const byRole = new Map<string, { readonly role: Reference; readonly hosts: SiteHost[]; none: boolean }>();
  for (const given of flags) {
    const flag = `--host ${printed(given)}`;
    const [, role, list] = /^([^=]*)=(.*)$/s.exec(given) ?? [];
    if (role === undefined || list === undefined || role === '' || list === '') {
      problems.add(() => ({
        what: `${flag}: no ${role === '' ? 'role' : 'address'}`,
        expected: 'ROLE=ADDRESS[,ADDRESS]',
      }));
      continue;
    }
    const entry = byRole.get(role) ?? { role: { value: role, flag }, hosts: [], none: false };
    byRole.set(role, entry);
    for (const text of list.split(',')) {
      if (text === 'none') {
        entry.none = true;
        continue;
      }
      const host = parseHost(text);
      if (!host.ok) problems.add(() => ({ what: `${flag}: ${quoted(text)} ${host.why}` }));
      else if (entry.hosts.some((other) => other.host === host.host)) {
        problems.warn({ what: `${flag}: ${quoted(host.host)} stands twice in the role ${quoted(role)}` });
      } else {
        entry.hosts.push({
          host: host.host,
          ...(host.kind === 'address' ? { family: host.family } : {}),
          addresses: 'every',
          flows: [],
        });
      }
    }
    if (entry.none && entry.hosts.length > 0) {
      problems.add(() => ({ what: `${flag}: the role has hosts and is "none" at once` }));
    }
  }
  return [...byRole.values()].map(({ role, hosts, none }) => ({ role, hosts: none ? 'none' : hosts }));
}

/** `--source`, where it can be one. */
export function checkSource(source: string, problems: Problems): void {
  const wrong = sourceProblem(source);
  if (wrong !== undefined) problems.add(() => ({ what: `--source ${printed(source)}: this ${wrong}` }));
}
