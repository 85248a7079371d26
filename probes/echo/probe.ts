// The `echo` probe (RFC 862): some bytes that nobody else could know, and the same bytes back, over TCP or UDP.
import { z } from 'zod';
import type { Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Kit, Probe, Target, Traits } from '../../src/contract/probe.js';
import { MESSAGE_BYTES, isEchoOf, message, mustEcho } from './packet.js';

export { standIn } from './stand-in.js';

const options = z.strictObject({});

const ANSWERED: Outcome = { kind: 'answered', depth: 'protocol', facts: { echoedBytes: MESSAGE_BYTES } };

async function askTcp(kit: Kit): Promise<Outcome> {
  const sent = message(kit.nonce);
  const stream = await kit.tcp();
  await stream.write(sent);
  let came: Uint8Array = new Uint8Array(0);
  // RFC 862 promises the bytes, not that they come in one piece. One byte more would show whoever says more than he heard.
  while (came.length < sent.length) {
    const more = await stream.read({ atLeast: 1, max: sent.length + 1 - came.length });
    came = Uint8Array.from([...came, ...more]);
    mustEcho(came, sent);
  }
  await stream.end();
  return ANSWERED;
}

async function askUdp(kit: Kit): Promise<Outcome> {
  const sent = message(kit.nonce);
  const datagrams = await kit.udp();
  return datagrams.exchange(sent, (reply) => {
    // An older attempt's echo, or none at all: the kit remembers how it looked.
    if (reply.length !== sent.length || !isEchoOf(reply, sent)) return undefined;
    return ANSWERED;
  });
}

function bind(carrier: Carrier): BoundProbe {
  const traits: Traits = {
    // RFC 862: whatever is received is sent back. Who serves it serves it to everybody.
    silence: 'conclusive',
    depths: ['protocol'],
    defaultDepth: 'protocol',
    sends: [
      ...(carrier === 'tcp' ? [{ what: 'a TCP connection, opened and closed', packets: 4, bytes: 0 }] : []),
      {
        what: `a line with a nonce, to be echoed${carrier === 'tcp' ? '' : ', again each second until it is'}`,
        packets: 1,
        bytes: MESSAGE_BYTES,
      },
    ],
  };
  return { traits, ask: (_target: Target, kit: Kit) => (carrier === 'tcp' ? askTcp(kit) : askUdp(kit)) };
}

export const probe: Probe = {
  name: 'echo',
  summary: 'Echo: a line with a nonce comes back as it was sent (RFC 862)',
  carriers: ['tcp', 'udp'],
  defaultPort: 7,
  options,
  bind,
};
