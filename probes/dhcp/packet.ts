// DHCP messages as bytes (RFC 2131 §2, options of RFC 2132), and the questions that take no lease. Pure.
import { ProtocolError } from '../../src/bytes/errors.js';
import { addressBytes, addressText } from '../../src/bytes/ip.js';
import { Reader } from '../../src/bytes/reader.js';
import { lookOf } from '../../src/bytes/text.js';
import { Writer } from '../../src/bytes/writer.js';

export const SERVER_PORT = 67;
export const CLIENT_PORT = 68;

export const BOOT_REQUEST = 1;
export const BOOT_REPLY = 2;
/** RFC 2131 §2: who sets it has no address yet and wants the answer by broadcast. */
export const BROADCAST_FLAG = 0x8000;

/** RFC 2132 §9.6. */
export const DISCOVER = 1;
export const OFFER = 2;
export const ACK = 5;
export const INFORM = 8;

/** RFC 2132. */
export const OPTION = {
  subnetMask: 1,
  routers: 3,
  dnsServers: 6,
  domainName: 15,
  leaseTime: 51,
  overload: 52,
  messageType: 53,
  serverIdentifier: 54,
  parameters: 55,
  vendorClass: 60,
  clientIdentifier: 61,
} as const;

const PAD = 0;
const END = 255;
const ETHERNET = 1;
const MAGIC = 0x6382_5363;
const SERVER_NAME_BYTES = 64;
const FILE_BYTES = 128;
/** RFC 1542 §2.1: relays and servers may drop what is shorter. */
const LEAST_BYTES = 300;

export interface DhcpOption {
  readonly code: number;
  readonly value: Uint8Array;
}

export interface DhcpMessage {
  readonly op: number;
  readonly hops: number;
  readonly xid: number;
  readonly flags: number;
  readonly clientAddress: string;
  readonly yourAddress: string;
  readonly serverAddress: string;
  readonly relayAddress: string;
  /** As many bytes as the message says, at most 16. */
  readonly hardwareAddress: Uint8Array;
  /** In order, those in an overloaded file and server name last; parts of one option are joined (RFC 3396). */
  readonly options: readonly DhcpOption[];
}

/**
 * A whole message. Throws ProtocolError for anything else: BOOTP without options too, since a DHCP message has at least
 * its type (RFC 2131 §3).
 */
export function parseMessage(bytes: Uint8Array): DhcpMessage {
  const reader = new Reader(bytes, 'DHCP message');
  const op = reader.u8();
  if (op !== BOOT_REQUEST && op !== BOOT_REPLY) throw new ProtocolError(`${lookOf(bytes)}, not DHCP`);
  reader.skip(1);
  const hardwareBytes = reader.u8();
  if (hardwareBytes > 16) throw new ProtocolError(`a hardware address of ${String(hardwareBytes)} bytes`);
  const hops = reader.u8();
  const xid = reader.u32();
  reader.skip(2);
  const flags = reader.u16();
  const address = (): string => addressText(reader.bytes(4));
  const [clientAddress, yourAddress, serverAddress, relayAddress] = [address(), address(), address(), address()];
  const hardwareAddress = reader.bytes(16).slice(0, hardwareBytes);
  const serverName = reader.bytes(SERVER_NAME_BYTES);
  const file = reader.bytes(FILE_BYTES);
  if (reader.u32() !== MAGIC) throw new ProtocolError('a BOOTP message without the options of DHCP');

  const parts = optionsIn(reader.rest());
  // RFC 2132 §9.3: 1 the file, 2 the server name, 3 both hold options too; the file is read first (RFC 2131 §4.1).
  const overload = parts.find(({ code }) => code === OPTION.overload)?.value[0] ?? 0;
  if ((overload & 1) !== 0) parts.push(...optionsIn(file));
  if ((overload & 2) !== 0) parts.push(...optionsIn(serverName));

  const options = joined(parts);
  return {
    op,
    hops,
    xid,
    flags,
    clientAddress,
    yourAddress,
    serverAddress,
    relayAddress,
    hardwareAddress,
    options,
  };
}

/** Up to their end, which must be there: without it the datagram was cut short. */
function optionsIn(bytes: Uint8Array): DhcpOption[] {
  const reader = new Reader(bytes, 'DHCP options');
  const options: DhcpOption[] = [];
  for (;;) {
    const code = reader.u8();
    if (code === END) return options;
    if (code !== PAD) options.push({ code, value: reader.bytes(reader.u8()).slice() });
  }
}

/** RFC 3396 §7: an option that comes more than once is one that was too long for 255 bytes. */
function joined(parts: readonly DhcpOption[]): readonly DhcpOption[] {
  const whole = new Map<number, number[]>();
  for (const { code, value } of parts) {
    const before = whole.get(code);
    if (before === undefined) whole.set(code, [...value]);
    else for (const byte of value) before.push(byte);
  }
  return [...whole].map(([code, value]) => ({ code, value: Uint8Array.from(value) }));
}

/** At least 300 bytes: zeros after the end, or, with `padding: 'before-end'`, as pad options before it. */
export function encodeMessage(message: DhcpMessage, padding: 'after-end' | 'before-end' = 'after-end'): Uint8Array {
  const { hardwareAddress } = message;
  const writer = new Writer(LEAST_BYTES)
    .u8(message.op)
    .u8(ETHERNET)
    .u8(hardwareAddress.length)
    .u8(message.hops)
    .u32(message.xid)
    .u16(0)
    .u16(message.flags)
    .bytes(addressBytes(message.clientAddress))
    .bytes(addressBytes(message.yourAddress))
    .bytes(addressBytes(message.serverAddress))
    .bytes(addressBytes(message.relayAddress))
    .bytes(hardwareAddress)
    .zeros(16 - hardwareAddress.length + SERVER_NAME_BYTES + FILE_BYTES)
    .u32(MAGIC);
  for (const { code, value } of message.options) writer.u8(code).u8(value.length).bytes(value);
  const missing = Math.max(0, LEAST_BYTES - 1 - writer.length);
  if (padding === 'before-end') writer.zeros(missing).u8(END);
  else writer.u8(END).zeros(missing);
  return writer.done();
}

/** The option's value; undefined where it is not there. */
export function optionOf({ options }: Pick<DhcpMessage, 'options'>, code: number): Uint8Array | undefined {
  return options.find((option) => option.code === code)?.value;
}

export function messageTypeOf(message: Pick<DhcpMessage, 'options'>): number | undefined {
  const value = optionOf(message, OPTION.messageType);
  return value?.length === 1 ? value[0] : undefined;
}

/** IPv4 addresses one after the other; what is left over of a fifth byte is not one. */
export function addressesIn(value: Uint8Array | undefined): readonly string[] {
  if (value === undefined) return [];
  return Array.from({ length: Math.floor(value.length / 4) }, (_, i) => addressText(value.subarray(i * 4, i * 4 + 4)));
}

/** What begins every vendor class identifier of ours; the nonce follows, hexadecimal. */
export const OUR_CLASS = 'linecheck ';

/**
 * Ours unless the site names another: locally administered (the second bit of its first byte), and the same in every
 * asking, from every machine. A server that sets an address aside for an offer then does so for one client, not for many.
 */
export const OUR_HARDWARE_ADDRESS = Uint8Array.of(0x02, 0x6c, 0x69, 0x6e, 0x65, 0x63);

export interface Question {
  readonly type: typeof DISCOVER | typeof INFORM;
  /** The attempt's 8 bytes. */
  readonly nonce: Uint8Array;
  readonly hardwareAddress: Uint8Array;
  /** Our address, where we have one and it counts: 0.0.0.0 else. */
  readonly clientAddress: string;
  /** Ours where we ask as a relay; the answer comes to its port 67. 0.0.0.0 else. */
  readonly relayAddress: string;
  readonly broadcastFlag: boolean;
}

/** Never a REQUEST: neither of the two takes a lease (RFC 2131 §3.1, §3.4). */
export function encodeQuestion(question: Question): Uint8Array {
  const { type, nonce, relayAddress } = question;
  const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
  return encodeMessage({
    op: BOOT_REQUEST,
    hops: relayAddress === '0.0.0.0' ? 0 : 1,
    xid: xidOf(nonce),
    flags: question.broadcastFlag ? BROADCAST_FLAG : 0,
    clientAddress: question.clientAddress,
    yourAddress: '0.0.0.0',
    serverAddress: '0.0.0.0',
    relayAddress,
    hardwareAddress: question.hardwareAddress,
    options: [
      { code: OPTION.messageType, value: Uint8Array.of(type) },
      // RFC 2132 §9.14: type 0 is any unique text; with it a server takes us for no other client of that address.
      { code: OPTION.clientIdentifier, value: Uint8Array.of(0, ...latin1('linecheck')) },
      { code: OPTION.vendorClass, value: latin1(OUR_CLASS + Buffer.from(nonce).toString('hex')) },
      {
        code: OPTION.parameters,
        value: Uint8Array.of(
          ...[OPTION.subnetMask, OPTION.routers, OPTION.dnsServers, OPTION.domainName],
          ...[OPTION.leaseTime, OPTION.serverIdentifier],
        ),
      },
    ],
  });
}

/** RFC 2131 §2: a random number that the answer repeats. */
export function xidOf(nonce: Uint8Array): number {
  return nonce.subarray(0, 4).reduce((sum, byte) => sum * 256 + byte, 0);
}
