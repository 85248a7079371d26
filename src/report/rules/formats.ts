// The one registry of rule formats. A format is one file and one line here, and is loaded only when asked for.
import type { Rule, RuleSet } from '../../contract/rule.js';

/** What users may choose. */
export interface RuleSettings {
  /** Of chains, access lists and tags; letters, digits, `-` and `_`, at most 20. */
  readonly name: string;
  /** The chain that jumps to the rules. */
  readonly nftChain: NftChain;
  readonly iptablesChain: string;
}

export interface NftChain {
  readonly family: 'inet' | 'ip' | 'ip6';
  readonly table: string;
  readonly chain: string;
}

export const defaultSettings: RuleSettings = {
  name: 'linecheck',
  nftChain: { family: 'inet', table: 'filter', chain: 'forward' },
  iptablesChain: 'FORWARD',
};

export interface RuleFormat {
  readonly summary: string;
  readonly load: () => Promise<RuleWriter>;
}

export interface RuleWriter {
  /** The text, deterministic. */
  readonly write: (set: RuleSet, settings: RuleSettings) => string;
  /** Those rules that it can express; the text says which it leaves out. */
  readonly writes: (rules: readonly Rule[], settings: RuleSettings) => readonly Rule[];
}

export const ruleFormats: ReadonlyMap<string, RuleFormat> = new Map<string, RuleFormat>([
  [
    'text',
    {
      summary: 'a ticket for the firewall team: who, to whom, what, why, the vendor’s words, what was seen',
      load: async () => ({ write: (await import('./text.js')).text, writes: all }),
    },
  ],
  [
    'csv',
    {
      summary: 'the same as a table, one line a rule (RFC 4180)',
      load: async () => ({ write: (await import('./csv.js')).csv, writes: all }),
    },
  ],
  [
    'nftables',
    {
      summary: 'for nft -f',
      load: async () => {
        const { nftables, nftablesWrites } = await import('./nftables.js');
        return { write: nftables, writes: nftablesWrites };
      },
    },
  ],
  [
    'iptables',
    {
      summary: 'for iptables-restore and ip6tables-restore, both from one file',
      load: async () => ({ write: (await import('./iptables.js')).iptables, writes: await addressesAlone() }),
    },
  ],
  [
    'asa',
    {
      summary: 'Cisco ASA: extended access lists with object groups',
      load: async () => ({ write: (await import('./asa.js')).asa, writes: all }),
    },
  ],
  [
    'ios',
    {
      summary: 'Cisco IOS: extended access lists without state, both directions',
      load: async () => ({ write: (await import('./ios.js')).ios, writes: await addressesAlone() }),
    },
  ],
  [
    'panos',
    {
      summary: 'Palo Alto Networks PAN-OS: set commands',
      load: async () => ({ write: (await import('./panos.js')).panos, writes: all }),
    },
  ],
]);

function all(rules: readonly Rule[]): readonly Rule[] {
  return rules;
}

async function addressesAlone(): Promise<RuleWriter['writes']> {
  return (await import('./comments.js')).addressed;
}
