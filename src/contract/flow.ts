// What must be checked: a profile's flow bound to a site, before any name is resolved.
// Types only. How files become these lives in plan/.
import type { Carrier, Depth, Traits } from './probe.js';

/** How deep the answer must reach. `path` asks only that the path is open: a refusal by the target itself satisfies it. */
export type Reach = 'path' | Depth;
export type Expect = 'open' | 'blocked';
export type Family = 4 | 6;

/** A place in a file of the user's; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One mistake in a file or on the command line. Printed as `file:line:column: what, and what was expected`. */
export interface Problem {
  readonly place?: Place;
  readonly what: string;
  readonly expected?: string;
}

/** Why a flow of the profile has no check. */
export type SkipReason =
  | { readonly kind: 'feature-off'; readonly feature: string }
  | { readonly kind: 'unless'; readonly feature: string }
  | { readonly kind: 'role-none'; readonly role: string }
  | { readonly kind: 'elsewhere'; readonly roles: readonly string[] }
  | { readonly kind: 'no-route-for-family'; readonly family: Family; readonly address: string }
  | { readonly kind: 'deselected' };

export interface Skipped {
  readonly profile: string;
  readonly flow: string;
  readonly title: string;
  readonly reason: SkipReason;
  /** The reason as a clause for people. */
  readonly why: string;
}

/** One end of a flow. `host` is what the site file wrote: an address or a name. */
export interface End {
  readonly role: string;
  readonly host?: string;
  readonly address?: string;
  readonly port?: number;
}

/** What the site knows of the identity that a TLS session must show; the judge compares, a probe never does. */
export interface Identity {
  /** SHA-256 of the SubjectPublicKeyInfo, base64 (RFC 7469 §2.4). */
  readonly pin?: string;
  /** Issuer as it must read, or a part of it: `CN=Site CA`. */
  readonly issuer?: string;
  /** The name of the secret that holds the site's CA certificates, PEM. */
  readonly ca?: string;
}

/** One flow bound to one source and one target. Host names stand as written. */
export interface PlannedCheck {
  /** `profile/flow[~back]/fromRole/host/carrier-port`, stable from run to run. Host is that of the far end. */
  readonly id: string;
  readonly profile: string;
  /** The bare flow id. */
  readonly flow: string;
  readonly title: string;
  /** After alternatives: false for the optional and for the other members of a one-of group. */
  readonly required: boolean;
  /** Members of one group on one target are alternatives: one open member satisfies it. */
  readonly group?: string;
  readonly expect: Expect;
  readonly reach: Reach;
  /** `out`: this machine asks. `in`: the far end would ask; only a peer there can prove it. */
  readonly direction: 'out' | 'in';
  readonly from: End;
  readonly to: End;
  readonly carrier: Carrier;
  readonly probe: string;
  /** Validated by the probe's own schema. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly identity?: Identity;
  readonly traits: Traits;
  readonly sourcePort?: number;
  readonly answersFrom?: number;
  readonly broadcast?: boolean;
  /** `any`: one of the name's addresses is enough. */
  readonly addresses: 'every' | 'any';
  readonly family: Family | 'any';
  readonly path?: 'in-band' | 'out-of-band';
  readonly everyMs?: number;
  readonly why: string;
  /** The rows of the vendor's document. */
  readonly source: readonly string[];
  readonly erratum?: string;
  /** The site accepts it when this flow stays unproven (`accept-unproven` by flow glob). */
  readonly acceptUnproven: boolean;
  /** Where the site or profile asks for it. */
  readonly place?: Place;
}

export type SecretSource = { readonly env: string } | { readonly file: string };

export interface Plan {
  readonly site?: string;
  readonly profiles: readonly { readonly id: string; readonly title: string }[];
  /** The roles of this machine, `profile/role`. */
  readonly here: readonly string[];
  /** The hosts of these roles as the site writes them, by `profile/role`; a role that it names nobody for is absent. */
  readonly standing?: Readonly<Record<string, readonly string[]>>;
  /** Address or interface to probe from. */
  readonly source?: string;
  readonly login: boolean;
  readonly checks: readonly PlannedCheck[];
  readonly skipped: readonly Skipped[];
  /** The proxy that HTTP and HTTPS go through: `http://HOST:PORT`, or `environment`. Absent: none, whatever the environment says. */
  readonly proxy?: string;
  /** `how` words of `unproven` that the site accepts. */
  readonly acceptHow: readonly string[];
  readonly secrets: Readonly<Record<string, SecretSource>>;
}

/** A planned check on one address. Its id ends in `/address` where the host is a name. */
export interface BoundCheck extends PlannedCheck {
  readonly to: End;
  /** The proxy that was asked, `HOST:PORT`. It finds the target's address itself, so `to` has none. */
  readonly via?: string;
}
