// The `discovery` probe: how KVM.net's Manager and devices find each other over UDP, by broadcast or one to one (IPA36-2).
// The document names the ports and no bytes: what is sent and what must come back are the site's to say. From which port
// to ask, and on which the answer comes, says the flow.
import { z } from 'zod';
import { lookOf } from '../../src/bytes/text.js';
import type { Facts, Outcome } from '../../src/contract/outcome.js';
import type { BoundProbe, Carrier, Endpoint, Kit, Probe, Target, Traits } from '../../src/contract/probe.js';
import { contains, hexOption, spelled, textOption } from '../tcp/packet.js';
import { QUESTION_BYTES, encodeQuestion, readDatagram } from './packet.js';

export { standIn } from './stand-in.js';

const SENT_BY_DEFAULT = `default: a label and a nonce, ${String(QUESTION_BYTES)} bytes, which a device may well ignore.`;
const UNEXPECTED = 'Without one any answer proves the port, and none the protocol.';

const options = z
  .strictObject({
    'payload-text': textOption.min(1).describe(`Text to send; ${SENT_BY_DEFAULT}`).optional(),
    'payload-hex': hexOption
      .min(2)
      .describe(`Bytes to send, hexadecimal, as captured from the Manager; ${SENT_BY_DEFAULT}`)
      .optional(),
    'expect-text': textOption.min(1).describe(`Text that must stand in the answer. ${UNEXPECTED}`).optional(),
    'expect-hex': hexOption
      .min(2)
      .describe(`Bytes that must stand in the answer, hexadecimal. ${UNEXPECTED}`)
      .optional(),
  })
  .refine((o) => o['payload-text'] === undefined || o['payload-hex'] === undefined, {
    error: 'payload-text and payload-hex exclude each other',
    path: ['payload-hex'],
  })
  .refine((o) => o['expect-text'] === undefined || o['expect-hex'] === undefined, {
    error: 'expect-text and expect-hex exclude each other',
    path: ['expect-hex'],
  });

/** What the site spells out; absent where it does not. */
interface Spelled {
  readonly payload?: Uint8Array;
  readonly wanted?: Uint8Array;
}

export const probe: Probe = {
  name: 'discovery',
  summary:
    'Device discovery of KVM.net: any answer proves the port, the expected one the protocol; silence proves nothing',
  carriers: ['udp'],
  defaultPort: 3080,
  options,
  bind(_carrier: Carrier, given: unknown): BoundProbe {
    const parsed = options.parse(given);
    const payload = spelled(parsed['payload-text'], parsed['payload-hex']);
    const wanted = spelled(parsed['expect-text'], parsed['expect-hex']);
    const traits: Traits = {
      // Also to the vendor's own bytes: when a device answers whom, a Manager that is not its own say, the document is
      // silent about.
      silence: 'ambiguous',
      depths: wanted === undefined ? ['port'] : ['port', 'protocol'],
      defaultDepth: wanted === undefined ? 'port' : 'protocol',
      sends: [
        payload === undefined
          ? { what: 'a label and a nonce', packets: 1, bytes: QUESTION_BYTES }
          : { what: 'the bytes that the site spells out', packets: 1, bytes: payload.length },
      ],
    };
    const said: Spelled = {
      ...(payload === undefined ? {} : { payload }),
      ...(wanted === undefined ? {} : { wanted }),
    };
    return { traits, ask: (target, kit) => ask(said, target, kit) };
  },
};

/** The answers of other devices come about as soon as the first. */
const OTHERS_MS = 500;
/** So many addresses are told; a network of more is told as such. */
const MOST_DEVICES = 64;

async function ask(said: Spelled, target: Target, kit: Kit): Promise<Outcome> {
  const request = said.payload ?? encodeQuestion(kit.nonce);
  const port = target.answersFrom ?? target.port;
  const broadcast = target.broadcast === true;
  const nothing = new Nothing(kit);
  // Where the answer is to come from another port, the kit hears nobody on the one that was asked: its socket is listened to.
  const elsewhere = !broadcast && port !== target.port;
  const datagrams = await kit.udp({ forLibrary: elsewhere });

  const accept = (datagram: Uint8Array, from: Endpoint): Facts | undefined => {
    if (isSame(datagram, request)) {
      // Who broadcasts to the port that it asks from hears itself. One host that says so says nothing of its own.
      if (broadcast) nothing.cameBack();
      else nothing.came('our own question, sent back');
      return undefined;
    }
    if (from.port !== port) {
      nothing.came(fromElsewhere(from.port, port));
      return undefined;
    }
    const { kind, nonce } = readDatagram(datagram);
    if (kind === 'question') {
      kit.note(`${from.address} looks for devices too`);
      nothing.wasSaid();
      return undefined;
    }
    if (kind === 'answer' && said.payload === undefined && !(nonce !== undefined && isSame(nonce, kit.nonce))) {
      nothing.came("a stand-in's answer to another question");
      return undefined;
    }
    if (said.wanted !== undefined && !contains(datagram, said.wanted)) {
      nothing.came(described(datagram));
      return undefined;
    }
    return { reply: described(datagram), ...(kind === 'answer' ? { standIn: true } : {}) };
  };
  const answered = (facts: Facts): Outcome => ({
    kind: 'answered',
    depth: said.wanted === undefined ? 'port' : 'protocol',
    facts,
  });

  if (!broadcast) {
    if (elsewhere) datagrams.socket.on('message', (_, from) => nothing.came(fromElsewhere(from.port, port)));
    return answered(await datagrams.exchange(request, accept));
  }
  const devices = new Set<string>();
  let first: Facts | undefined;
  await datagrams.collect(
    request,
    (datagram, from) => {
      const facts = accept(datagram, from);
      if (facts === undefined) return undefined;
      first ??= facts;
      if (devices.size <= MOST_DEVICES) devices.add(from.address);
      return true;
    },
    OTHERS_MS,
  );
  const told = [...devices].slice(0, MOST_DEVICES).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return answered({ ...first, devices: told, ...(devices.size > told.length ? { moreDevices: true } : {}) });
}

/**
 * What came and is nobody's answer, told to the kit for the case that no answer follows. Without it the kit would take
 * each such datagram for a stranger's, our own broadcasts too.
 */
class Nothing {
  readonly #kit: Kit;
  readonly #began: number;
  #ours = 0;
  #strange = 0;
  #detail: string | undefined;

  constructor(kit: Kit) {
    this.#kit = kit;
    this.#began = kit.now();
  }

  /** One of our own, which shows that it left this machine and no more. */
  cameBack(): void {
    this.#ours += 1;
    this.wasSaid();
  }

  /** A stranger's, which is what a person should hear of. */
  came(detail: string): void {
    this.#strange += 1;
    this.#detail ??= detail;
    this.wasSaid();
  }

  wasSaid(): void {
    const detail = this.#detail;
    if (detail !== undefined) {
      const facts = { strangeDatagrams: this.#strange };
      this.#kit.seen({ kind: 'stranger', came: 'other-protocol', detail, facts });
      return;
    }
    // We ask every second: it is short of the whole wait by less than that.
    const waitedMs = Math.max(0, Math.round(this.#kit.now() - this.#began));
    this.#kit.seen({ kind: 'silent', sent: Math.max(1, this.#ours), waitedMs });
  }
}

function fromElsewhere(port: number, wanted: number): string {
  return `an answer from port ${String(port)}, where one from ${String(wanted)} is due`;
}

function described(datagram: Uint8Array): string {
  return datagram.length === 0 ? 'an empty datagram' : lookOf(datagram);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
