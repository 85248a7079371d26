// Firewall rules before they are any firewall's: what must be let through, exactly. Types only; report/rules writes them.
import type { Family, PlannedCheck } from './flow.js';

/** What rules need of a flow: one planned check, or what a report says of one. */
export type WantedFlow = Pick<
  PlannedCheck,
  | 'id'
  | 'profile'
  | 'flow'
  | 'title'
  | 'required'
  | 'expect'
  | 'direction'
  | 'from'
  | 'to'
  | 'carrier'
  | 'why'
  | 'source'
> &
  Partial<
    Pick<PlannedCheck, 'group' | 'sourcePort' | 'answersFrom' | 'broadcast' | 'family' | 'path' | 'traits' | 'erratum'>
  > & {
    /** The proxy that it goes through: the far end, for a firewall. */
    readonly via?: { readonly host: string; readonly port: number };
    /** What a check saw of it, for a person. */
    readonly seen?: string;
    /** Why no rule is wanted, a sentence: a check proved that the path is open. */
    readonly needless?: string;
  };

/** Addresses by family, keyed 4 and 6 like Family. */
export type ByFamily = { readonly [F in Family]?: string };

/** Who has which address, found out before: writing rules asks nobody. */
export interface RuleAddresses {
  /** Of names; one that has none, or was not looked up, stands with an empty list or not at all. */
  readonly names: ReadonlyMap<string, readonly string[]>;
  /** What `source` stands for, where the user gave one. */
  readonly source?: ByFamily;
  /** Hosts of the roles of this machine, by `profile/role`. */
  readonly standing: Readonly<Record<string, readonly string[]>>;
  /** The address that this machine's route to an address would leave from. */
  readonly routes: ReadonlyMap<string, string>;
  /** The same, to nowhere in particular. */
  readonly route: ByFamily;
}

/** One end of a rule. A name without an address is for a firewall that looks names up itself. */
export type RuleEnd =
  | { readonly kind: 'address'; readonly role: string; readonly address: string; readonly name?: string }
  | { readonly kind: 'name'; readonly role: string; readonly name: string };

interface Ports {
  readonly port: number;
  /** Where the protocol fixes it; else any. */
  readonly sourcePort?: number;
}

export type RuleProtocol =
  | ({ readonly kind: 'tcp' } & Ports)
  | ({ readonly kind: 'udp' } & Ports)
  /** An echo request: ICMP type 8 (RFC 792), ICMPv6 type 128 (RFC 4443 §4.1). */
  | { readonly kind: 'icmp-echo' }
  | { readonly kind: 'ip'; readonly number: number };

/** A flow as a rule tells of it. */
export interface RuleFlow {
  readonly profile: string;
  readonly flow: string;
  readonly title: string;
  readonly need: 'required' | 'optional' | 'alternative';
  readonly path?: 'in-band' | 'out-of-band';
  readonly why: string;
  /** The vendor's sentences. */
  readonly source: readonly string[];
  readonly erratum?: string;
  /** What a firewall team must know beside the rule. */
  readonly notes: readonly string[];
  readonly seen?: string;
}

export interface Rule {
  /** Of the first packet, seen from this machine. */
  readonly direction: 'from-here' | 'to-here';
  readonly family: Family;
  readonly source: RuleEnd;
  readonly destination: RuleEnd;
  readonly protocol: RuleProtocol;
  /** `answer`: an answer that comes from elsewhere than it was asked, which no firewall takes for one. */
  readonly kind: 'flow' | 'answer';
  /** Packets come back with ends and ports exchanged. */
  readonly answered: boolean;
  /** Those that need this rule, at least one. */
  readonly flows: readonly RuleFlow[];
}

/** A flow, or a part of one, without a rule. */
export interface Unwritten {
  readonly profile: string;
  readonly flow: string;
  readonly title: string;
  /** `manager -> device 192.0.2.21:443/tcp`. */
  readonly what: string;
  /** A sentence. */
  readonly why: string;
  /** Something is missing that the user can supply. Else no rule is wanted. */
  readonly incomplete: boolean;
}

/** All that is to be written, for whichever firewall. */
export interface RuleSet {
  readonly site?: string;
  /** Whence the flows are, behind `from`: `the whole plan`. */
  readonly of: string;
  readonly rules: readonly Rule[];
  readonly unwritten: readonly Unwritten[];
  /** Flows of the profiles that have no check here. */
  readonly skipped: readonly { readonly title: string; readonly reason: string }[];
  /** About all of them: sentences. */
  readonly notices: readonly string[];
}
