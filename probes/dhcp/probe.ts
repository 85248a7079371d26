// The `dhcp` probe (RFC 2131): INFORM where this machine has an address, DISCOVER else, and what a server answers.
// It never sends a REQUEST, so that no lease is taken. DHCP for IPv6 is another protocol.
import { z } from 'zod';
import { ProtocolError } from '../../src/bytes/errors.js';
import { printable } from '../../src/bytes/text.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Datagrams, Kit, Probe, Target } from '../../src/contract/probe.js';
import {
  ACK,
  BOOT_REPLY,
  CLIENT_PORT,
  DISCOVER,
  INFORM,
  OFFER,
  OPTION,
  OUR_HARDWARE_ADDRESS,
  SERVER_PORT,
  addressesIn,
  encodeQuestion,
  messageTypeOf,
  optionOf,
  parseMessage,
  xidOf,
  type DhcpMessage,
} from './packet.js';

const options = z.strictObject({
  message: z
    .enum(['inform', 'discover'])
    .describe(
      'What to ask. inform: parameters for the address we have; discover: the offer of an address, which is not taken. ' +
        'Default: inform where our address is known, which is to one server or with a source; discover by broadcast. ' +
        'One server is asked for an offer as relay agents do, from port 67: to port 68 of an address that nobody has yet ' +
        'it could not come.',
    )
    .optional(),
  'hardware-address': z
    .string()
    .regex(/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/)
    .describe(
      "Hardware address in the message, such as this interface's own where switches compare the two (DHCP snooping); " +
        'default: 02:6c:69:6e:65:63, locally administered, the same in every asking.',
    )
    .optional(),
});
type Options = z.output<typeof options>;

export { standIn } from './stand-in.js';

export const probe: Probe = {
  name: 'dhcp',
  summary: 'DHCP: a server answers an INFORM or offers an address to a DISCOVER; no lease is taken (RFC 2131).',
  carriers: ['udp'],
  defaultPort: SERVER_PORT,
  options,
  bind(_carrier: Carrier, given: unknown): BoundProbe {
    const parsed = options.parse(given);
    const bytes = questionOf(
      parsed,
      { inform: true, relay: false, broadcast: false },
      '0.0.0.0',
      new Uint8Array(8),
    ).length;
    const { message } = parsed;
    const what = message === undefined ? 'DHCPINFORM or DHCPDISCOVER' : `DHCP${message.toUpperCase()}`;
    return {
      traits: {
        // RFC 2131 §3.1: a server may choose not to answer a DISCOVER, and one that does not know our network (§4.3.1) or
        // is not responsible for it (§4.3.5) says nothing.
        silence: 'ambiguous',
        depths: ['protocol'],
        defaultDepth: 'protocol',
        sends: [{ what, packets: 1, bytes }],
        needs: message === 'discover' ? 'bind to UDP port 68, or 67 to ask one server' : 'bind to UDP port 68',
      },
      ask: (target, kit) => ask(parsed, target, kit),
    };
  },
};

interface Way {
  readonly inform: boolean;
  readonly relay: boolean;
  readonly broadcast: boolean;
}

function questionOf(parsed: Options, { inform, relay, broadcast }: Way, own: string, nonce: Uint8Array): Uint8Array {
  return encodeQuestion({
    type: inform ? INFORM : DISCOVER,
    nonce,
    hardwareAddress: hardwareAddressOf(parsed),
    clientAddress: inform ? own : '0.0.0.0',
    relayAddress: relay ? own : '0.0.0.0',
    // RFC 2131 §4.1: without the flag the offer goes to an address that nobody has yet.
    broadcastFlag: !inform && broadcast,
  });
}

function hardwareAddressOf({ 'hardware-address': given }: Options): Uint8Array {
  return given === undefined ? OUR_HARDWARE_ADDRESS : Uint8Array.from(Buffer.from(given.replaceAll(':', ''), 'hex'));
}

/** A network should have one server that answers; the answers of others, wanted or not, come soon after. */
const OTHERS_MS = 500;

async function ask(parsed: Options, target: Target, kit: Kit): Promise<Outcome> {
  if (target.family === 6) {
    return { kind: 'unable', reason: 'no-family', detail: 'DHCP is of IPv4; its kin for IPv6 is another protocol' };
  }
  const broadcast = target.broadcast === true;
  // RFC 2131 §4.1: the answer to a relay comes to its own address.
  const relay = !broadcast && parsed.message === 'discover';
  const socket = await open(target, kit, relay);
  const own = socket.local.address;
  const known = own !== '0.0.0.0';
  const inform = (parsed.message ?? (known ? 'inform' : 'discover')) === 'inform';
  if (inform && !known) {
    const detail = 'an INFORM by broadcast needs our address: name it as the source (--source)';
    return { kind: 'unable', reason: 'no-source', detail };
  }
  if (!inform && known && broadcast) {
    const detail = `an offer by broadcast is not heard where only ${own} listens: leave out the source, or ask with inform`;
    return { kind: 'unable', reason: 'no-source', detail };
  }

  const question = questionOf(parsed, { inform, relay, broadcast }, own, kit.nonce);
  const accept = (datagram: Uint8Array): DhcpMessage | undefined => {
    const reply = parseMessage(datagram);
    return answers(reply, kit.nonce, hardwareAddressOf(parsed), inform ? ACK : OFFER) ? reply : undefined;
  };
  if (!broadcast) {
    const reply = await socket.exchange(question, accept);
    return { kind: 'answered', depth: 'protocol', facts: factsOf(reply) };
  }
  const replies = await socket.collect(
    question,
    (datagram, from) => {
      const reply = accept(datagram);
      return reply === undefined ? undefined : { reply, from: from.address };
    },
    OTHERS_MS,
  );
  const servers = [...new Set(replies.map(({ reply, from }) => serverOf(reply) ?? from))].sort();
  const [first] = replies;
  if (first === undefined) throw new ProtocolError('no answer');
  return { kind: 'answered', depth: 'protocol', facts: { ...factsOf(first.reply), servers } };
}

/**
 * RFC 2131 §4.1: servers answer to port 68, and relays to port 67, whatever port asked. On a port of its own making a
 * server does as it likes, and the flow names our port if it matters.
 */
function open(target: Target, kit: Kit, relay: boolean): Promise<Datagrams> {
  if (target.port !== SERVER_PORT) return kit.udp();
  return kit.udp({ bind: { port: relay ? SERVER_PORT : (target.sourcePort ?? CLIENT_PORT) } });
}

/** An answer to this very question (RFC 2131 §4.4.1): everything else on port 68 is about other clients. */
function answers(reply: DhcpMessage, nonce: Uint8Array, hardwareAddress: Uint8Array, type: number): boolean {
  return (
    reply.op === BOOT_REPLY &&
    reply.xid === xidOf(nonce) &&
    Buffer.compare(reply.hardwareAddress, hardwareAddress) === 0 &&
    messageTypeOf(reply) === type
  );
}

function serverOf(reply: DhcpMessage): string | undefined {
  return addressesIn(optionOf(reply, OPTION.serverIdentifier))[0];
}

function factsOf(reply: DhcpMessage): Facts {
  const offer = messageTypeOf(reply) === OFFER;
  const server = serverOf(reply);
  const lease = optionOf(reply, OPTION.leaseTime);
  const [mask] = addressesIn(optionOf(reply, OPTION.subnetMask));
  const routers = addressesIn(optionOf(reply, OPTION.routers));
  const dnsServers = addressesIn(optionOf(reply, OPTION.dnsServers));
  const domain = optionOf(reply, OPTION.domainName);
  return {
    messageType: offer ? 'DHCPOFFER' : 'DHCPACK',
    ...(server === undefined ? {} : { serverIdentifier: server }),
    ...(offer && reply.yourAddress !== '0.0.0.0' ? { offeredAddress: reply.yourAddress } : {}),
    ...(lease?.length === 4 ? { leaseSeconds: lease.reduce((sum, byte) => sum * 256 + byte, 0) } : {}),
    ...(mask === undefined ? {} : { subnetMask: mask }),
    ...(routers.length === 0 ? {} : { routers }),
    ...(dnsServers.length === 0 ? {} : { dnsServers }),
    ...(domain === undefined || domain.length === 0 ? {} : { domainName: printable(domain) }),
  };
}
