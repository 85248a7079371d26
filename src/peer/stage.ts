// The stage that stand-ins stand on: it opens their ports through what net/ gives it, and gives them a certificate.
import type { Clock } from '../contract/ledger.js';
import type { Endpoint, Stage, StandIn, Stream } from '../contract/probe.js';
import { selfSigned } from './certificate.js';

export interface ServerIdentity {
  readonly key: string;
  readonly cert: string;
}

/** What a stage needs of the network, given by whoever sets it up. */
export interface StageNet {
  listenTcp(at: Spot, clock: Clock, serve: (stream: Stream) => Promise<void>): Promise<Opened>;
  listenUdp(at: Spot, reply: (request: Uint8Array, from: Endpoint) => readonly Uint8Array[]): Promise<Opened>;
  secureAccepted(
    stream: Stream,
    identity: ServerIdentity,
    options: { readonly alpn?: readonly string[]; readonly requestClientCert?: boolean },
    clock: Clock,
  ): Promise<Stream>;
  random(size: number): Uint8Array;
}

export interface Spot {
  readonly address: string;
  /** 0: a free one. */
  readonly port: number;
}

export interface Opened {
  readonly port: number;
  close(): Promise<void>;
}

/** The name in a stand-in's certificate. RFC 2606 reserves `.invalid`: nobody mistakes it for a real one. */
export const STAND_IN_NAME = 'stand-in.linecheck.invalid';

/** Opens one stand-in. Rejects with the errno of bind. */
export function openStandIn(standIn: StandIn, at: Spot, net: StageNet, clock: Clock): Promise<Opened> {
  let identity: ServerIdentity | undefined;
  const stage: Stage = {
    random: (size) => net.random(size),
    now: () => clock.wallMs(),
    secure: (stream, options = {}) => {
      identity ??= selfSigned(STAND_IN_NAME, net.random(16), clock.wallMs());
      return net.secureAccepted(stream, identity, options, clock);
    },
  };
  if (standIn.carrier === 'udp') {
    return net.listenUdp(at, (request, from) => standIn.reply?.(request, from) ?? []);
  }
  return net.listenTcp(at, clock, async (stream) => {
    if (standIn.session !== undefined) await standIn.session(stream, stage);
  });
}
