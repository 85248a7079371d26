// The `ssh` probe (RFC 4253): the server's identification and its KEXINIT, then a polite DISCONNECT.
// No key is exchanged, nobody logs in.
import { z } from 'zod';
import { EndOfStream, ProtocolError } from '../../src/bytes/errors.js';
import { lookOf, printable } from '../../src/bytes/text.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Kit, Probe, Stream, Traits } from '../../src/contract/probe.js';
import {
  BY_APPLICATION,
  HOST_NOT_ALLOWED_TO_CONNECT,
  MAX_IDENTIFICATION,
  MSG_DEBUG,
  MSG_DISCONNECT,
  MSG_IGNORE,
  encodeDisconnect,
  encodeIdentification,
  encodePacket,
  parseDisconnect,
  parseIdentification,
  parseKexInit,
  parsePacket,
  readPacketSize,
  type Identification,
  type KexInit,
} from './packet.js';

const SOFTWARE = 'linecheck';
// Stands in the log of the server, so that its administrator knows what came by.
const FAREWELL = 'linecheck: the port was checked, no login was tried';

/** RFC 4253 §4.2 lets a server send other lines first and sets no limit. */
const MAX_LINE = 1024;
const MAX_LINES = 64;
/** IGNORE and DEBUG may stand between any two packets (RFC 4253 §11). */
const MAX_IDLE_PACKETS = 8;
/** What a fact may carry of a stranger's list. */
const MAX_NAMES = 100;
const MAX_NAME = 64;

const options = z.strictObject({});

export { standIn } from './stand-in.js';

export const probe: Probe = {
  name: 'ssh',
  summary: 'SSH: the server identifies itself and offers its algorithms; no login (RFC 4253).',
  carriers: ['tcp'],
  defaultPort: 22,
  options,
  bind(): BoundProbe {
    return { traits, ask: (_target, kit) => ask(kit) };
  },
};

const NO_NONCE = new Uint8Array(8);

const traits: Traits = {
  silence: 'conclusive',
  depths: ['port', 'protocol'],
  defaultDepth: 'protocol',
  sends: [
    { what: 'SSH identification', packets: 1, bytes: identificationOf(NO_NONCE).length },
    {
      what: 'SSH DISCONNECT, code 11 by application',
      packets: 1,
      bytes: farewellOf((size) => new Uint8Array(size)).length,
    },
  ],
};

async function ask(kit: Kit): Promise<Outcome> {
  const stream = await kit.tcp();
  // Both sides identify themselves at once (RFC 4253 §4.2). Some strangers speak only when spoken to.
  await stream.write(identificationOf(kit.nonce));
  const inbox = new Inbox(stream);

  const greeting = await readGreeting(inbox);
  if (greeting.kind === 'closed') {
    return {
      kind: 'stranger',
      came: 'close',
      detail:
        greeting.look === undefined
          ? 'the connection was closed before an SSH identification'
          : `${greeting.look}, then the end of the connection`,
      facts: noticeFact(greeting.notice),
    };
  }
  const { identification, notice } = greeting;
  const facts: Facts = { ...identificationFacts(identification), ...noticeFact(notice) };
  // RFC 4253 §5.1: 1.99 is a server that speaks both. One that speaks only SSH 1 is of no use to a client of today.
  if (identification.protocol !== '2.0' && identification.protocol !== '1.99') {
    const detail = `SSH protocol ${identification.protocol} (${identification.software}), not 2.0`;
    return { kind: 'stranger', came: 'other-protocol', detail, facts };
  }
  kit.note(`the server is ${identification.software}`);

  let kexInit: KexInit | undefined;
  try {
    for (let idle = 0; kexInit === undefined; idle += 1) {
      const payload = await readPayload(inbox);
      switch (payload[0]) {
        case MSG_DISCONNECT: {
          const { code, reason, description } = parseDisconnect(payload);
          const said = { ...facts, disconnect: description === '' ? reason : `${reason}: ${description}` };
          if (code !== HOST_NOT_ALLOWED_TO_CONNECT) return { kind: 'answered', depth: 'protocol', facts: said };
          return { kind: 'turned-away', presented: 'client', by: `SSH DISCONNECT, ${reason}`, facts: said };
        }
        case MSG_IGNORE:
        case MSG_DEBUG:
          if (idle >= MAX_IDLE_PACKETS) throw new ProtocolError('SSH packets without end, and no KEXINIT');
          break;
        default:
          kexInit = parseKexInit(payload);
      }
    }
  } catch (error) {
    if (!(error instanceof EndOfStream)) throw error;
    const detail = `an SSH identification (${identification.software}), then the end of the connection before its KEXINIT`;
    return { kind: 'stranger', came: 'close', detail, facts };
  }

  await leave(stream, kit);
  return { kind: 'answered', depth: 'protocol', facts: { ...facts, ...kexInitFacts(kexInit) } };
}

/**
 * OpenSSH logs a DISCONNECT with code 11 as information, any other code as an error, and a connection that is merely
 * dropped as one that broke off. It also frees the server's unauthenticated slot (MaxStartups) at once.
 * From 9.8 on every visit without a login costs one second of its PerSourcePenalties, and 15 of them a refusal.
 */
async function leave(stream: Stream, kit: Kit): Promise<void> {
  try {
    await stream.write(farewellOf((size) => kit.random(size)));
    await stream.end();
  } catch {
    // The answer is in; whether the goodbye arrives does not change what was seen.
    kit.note('the server did not wait for our DISCONNECT');
  }
}

/** The nonce goes where RFC 4253 §4.2 has room for a comment. */
function identificationOf(nonce: Uint8Array): Uint8Array {
  return encodeIdentification({ software: SOFTWARE, comments: Buffer.from(nonce).toString('hex') });
}

function farewellOf(random: (size: number) => Uint8Array): Uint8Array {
  return encodePacket(encodeDisconnect(BY_APPLICATION, FAREWELL), random);
}

type Greeting =
  | { readonly kind: 'identified'; readonly identification: Identification; readonly notice: readonly string[] }
  /** The peer ended first. `look`: what it had sent, for a person. */
  | { readonly kind: 'closed'; readonly look?: string; readonly notice: readonly string[] };

/** Reads lines up to the identification. Throws ProtocolError as soon as it is clear that this is no SSH server. */
async function readGreeting(inbox: Inbox): Promise<Greeting> {
  const notice: string[] = [];
  for (;;) {
    const line = await inbox.line(MAX_LINE);
    if (!line.whole) {
      const [first] = notice;
      const look = line.bytes.length > 0 ? lookOf(line.bytes) : first === undefined ? undefined : `the line "${first}"`;
      return { kind: 'closed', ...(look === undefined ? {} : { look }), notice };
    }
    if (startsWithSsh(line.bytes))
      return { kind: 'identified', identification: parseIdentification(line.bytes), notice };
    if (isForeign(line.bytes) || notice.length >= MAX_LINES) throw new ProtocolError(lookOf(line.bytes));
    notice.push(printable(trimmed(line.bytes), 200));
  }
}

function trimmed(line: Uint8Array): Uint8Array {
  let end = line.length;
  while (end > 0 && (line[end - 1] === 0x0a || line[end - 1] === 0x0d)) end -= 1;
  return line.subarray(0, end);
}

function startsWithSsh(line: Uint8Array): boolean {
  return printable(line, 4).startsWith('SSH-');
}

/** The first line of a protocol that is known not to be SSH: there is no need to wait for more of it. */
function isForeign(line: Uint8Array): boolean {
  return /^(HTTP\/|RTSP\/|SIP\/|220[ -]|421[ -]|5\d\d[ -]|\+OK|\* OK|<)/.test(printable(line, 16));
}

/** Text that a server may send before its identification: UTF-8, tabs, and the escapes of a coloured banner. */
function isText(byte: number): boolean {
  return byte >= 0x20 ? byte !== 0x7f : byte === 0x09 || byte === 0x0a || byte === 0x0d || byte === 0x1b;
}

async function readPayload(inbox: Inbox): Promise<Uint8Array> {
  const size = readPacketSize(await inbox.peek(4));
  return parsePacket(await inbox.take(size));
}

/** Bytes of a stream that came and are not used up yet; it keeps what came when the peer ends in mid-line. */
class Inbox {
  readonly #stream: Stream;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  async #more(max: number): Promise<void> {
    this.#bytes = Buffer.concat([this.#bytes, await this.#stream.read({ atLeast: 1, max })]);
  }

  /** Up to and including a line feed; not `whole` where the peer ended first. Throws ProtocolError for what is no text. */
  async line(max: number): Promise<{ whole: boolean; bytes: Uint8Array }> {
    for (let seen = 0; ;) {
      for (; seen < this.#bytes.length && seen < max; seen += 1) {
        const byte = this.#bytes[seen] ?? 0;
        if (byte === 0x0a) return { whole: true, bytes: this.#cut(seen + 1) };
        if (!isText(byte)) throw new ProtocolError(lookOf(this.#bytes));
        // An identification that is too long is known to be so before its line ends.
        if (seen === MAX_IDENTIFICATION && startsWithSsh(this.#bytes)) throw new ProtocolError(lookOf(this.#bytes));
      }
      if (seen >= max) throw new ProtocolError(lookOf(this.#bytes));
      try {
        await this.#more(max);
      } catch (error) {
        if (error instanceof EndOfStream) return { whole: false, bytes: this.#bytes };
        throw error;
      }
    }
  }

  async peek(size: number): Promise<Uint8Array> {
    while (this.#bytes.length < size) await this.#more(size - this.#bytes.length);
    return this.#bytes.subarray(0, size);
  }

  async take(size: number): Promise<Uint8Array> {
    await this.peek(size);
    return this.#cut(size);
  }

  #cut(size: number): Uint8Array {
    const taken = this.#bytes.subarray(0, size);
    this.#bytes = this.#bytes.subarray(size);
    return taken;
  }
}

function identificationFacts({ protocol, software, comments }: Identification): Facts {
  return { protocol, software, ...(comments === undefined ? {} : { comments }) };
}

function noticeFact(notice: readonly string[]): Facts {
  return notice.length === 0 ? {} : { notice };
}

/** One fact where both directions offer the same, which is nearly always; else what the server sends with stands apart. */
function kexInitFacts(kexInit: KexInit): Facts {
  return {
    kexAlgorithms: capped(kexInit.kexAlgorithms),
    hostKeyAlgorithms: capped(kexInit.hostKeyAlgorithms),
    ...bothWays('ciphers', kexInit.ciphersToServer, kexInit.ciphersToClient),
    ...bothWays('macs', kexInit.macsToServer, kexInit.macsToClient),
    ...bothWays('compression', kexInit.compressionToServer, kexInit.compressionToClient),
  };
}

function bothWays(name: string, toServer: readonly string[], toClient: readonly string[]): Facts {
  if (toServer.join() === toClient.join()) return { [name]: capped(toServer) };
  return { [name]: capped(toServer), [`${name}ToClient`]: capped(toClient) };
}

function capped(names: readonly string[]): readonly string[] {
  return names.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_NAME));
}
