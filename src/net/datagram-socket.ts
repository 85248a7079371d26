// One UDP socket, Node's own or, where there is a kernel to ask, ours: that one also hears ICMP errors with their sender,
// and the TTL of what comes in. Node's must not have an error queue: Node 20 spins on one, Node 24 aborts.
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { canonicalAddress } from '../bytes/ip.js';
import type { SocketRecord } from '../contract/ledger.js';
import type { Endpoint } from '../contract/probe.js';
import type { QueuedError } from './control-message.js';
import type { Kernel, KernelSocket } from './kernel.js';
import type { Session } from './session.js';
import { currentTurn } from './turn.js';

/** What comes in. Nothing is called before `hear` returns, nor after the socket is closed. */
export interface DatagramEars {
  message(bytes: Uint8Array, from: Endpoint, ttl?: number): void;
  /** The error of an earlier packet, or of the socket. */
  failed(error: NodeJS.ErrnoException): void;
  /** ICMP errors about packets of this socket. */
  rejected(errors: readonly QueuedError[]): void;
}

export interface DatagramSocket {
  readonly local: Endpoint;
  /** Only Node's own. */
  readonly library: Socket | undefined;
  hear(ears: DatagramEars): void;
  /** Without `to` to the one that it is connected to. `failed` gets what this machine itself says; `atOnce`: before any packet could come back. */
  send(
    bytes: Uint8Array,
    to: Endpoint | undefined,
    failed: (error: NodeJS.ErrnoException, atOnce: boolean) => void,
  ): void;
}

export interface DatagramOpening {
  readonly bind: { readonly port?: number; readonly address?: string };
  /** Absent: the socket stays unconnected. */
  readonly connect?: Endpoint;
  readonly broadcast: boolean;
  /** Other sockets of ours may stand on the same local port; the connected ones get only their peer's datagrams. */
  readonly shared: boolean;
  /** A library is to have it: it must be Node's. */
  readonly forLibrary: boolean;
}

/** Opens one socket. Rejects with what the system said, known to the ledger. */
export function openDatagramSocket(
  session: Session,
  record: SocketRecord,
  opening: DatagramOpening,
): Promise<DatagramSocket> {
  const { kernel } = session.options;
  if (kernel === undefined || opening.forLibrary) return openNodeSocket(session, record, opening);
  return new Promise((resolve) => resolve(openKernelSocket(kernel, session, record, opening)));
}

class NodeDatagramSocket implements DatagramSocket {
  readonly library: Socket;

  constructor(socket: Socket) {
    this.library = socket;
  }

  get local(): Endpoint {
    const { address, port } = this.library.address();
    return { address, port };
  }

  hear(ears: DatagramEars): void {
    this.library.on('message', (message, { address, port }) => ears.message(message, { address, port }));
    this.library.on('error', (error) => ears.failed(error));
  }

  send(
    bytes: Uint8Array,
    to: Endpoint | undefined,
    failed: (error: NodeJS.ErrnoException, atOnce: boolean) => void,
  ): void {
    const turn = currentTurn();
    const sent = (error: Error | null): void => {
      if (error !== null) failed(error, currentTurn() === turn);
    };
    if (to === undefined) this.library.send(bytes, sent);
    else this.library.send(bytes, to.port, to.address, sent);
  }
}

function openNodeSocket(session: Session, record: SocketRecord, opening: DatagramOpening): Promise<DatagramSocket> {
  const v6 = session.target.family === 6;
  const socket = createSocket({ type: v6 ? 'udp6' : 'udp4', reuseAddr: opening.shared, ipv6Only: v6 });
  let open = true;
  const owned = session.own(() => {
    if (open) socket.close();
  });
  socket.once('close', () => {
    open = false;
    owned.release();
    if (record.state === 'open') record.state = 'closed';
  });
  return session.wait<DatagramSocket>((resolve, reject) => {
    const turn = currentTurn();
    const failed = (error: NodeJS.ErrnoException): void => {
      reject(session.fail(record, error, currentTurn() === turn, record.openedMs));
    };
    const ready = (): void => {
      socket.off('error', failed);
      resolve(new NodeDatagramSocket(socket));
    };
    socket.once('error', failed);
    socket.bind({ ...opening.bind, exclusive: true }, () => {
      if (!open) return;
      try {
        if (opening.broadcast) socket.setBroadcast(true);
        if (opening.connect === undefined) {
          ready();
          return;
        }
        // Typed without the error that it is called with.
        socket.connect(opening.connect.port, opening.connect.address, (error?: NodeJS.ErrnoException) => {
          if (!open) return;
          if (error) failed(error);
          else ready();
        });
      } catch (error) {
        failed(error as NodeJS.ErrnoException);
      }
    });
  });
}

/** Datagrams that are taken in before anything else has its turn. */
const DATAGRAMS_AT_ONCE = 64;

class KernelDatagramSocket implements DatagramSocket {
  readonly library = undefined;
  readonly local: Endpoint;
  readonly #socket: KernelSocket;
  #ears: DatagramEars | undefined;

  constructor(socket: KernelSocket) {
    this.#socket = socket;
    this.local = socket.local();
  }

  hear(ears: DatagramEars): void {
    this.#ears = ears;
    this.#socket.watch(() => this.#takeIn(ears));
  }

  #takeIn(ears: DatagramEars): void {
    try {
      this.#takeErrors(ears);
      for (let taken = 0; taken < DATAGRAMS_AT_ONCE && this.#socket.fd >= 0; taken += 1) {
        const received = this.#socket.receive();
        if (received === undefined) return;
        ears.message(received.bytes, received.from ?? { address: '', port: 0 }, received.ttl);
      }
    } catch (error) {
      ears.failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #takeErrors(ears: DatagramEars): void {
    if (this.#socket.fd < 0) return;
    const errors = this.#socket.errors();
    if (errors.length > 0) ears.rejected(errors);
  }

  send(
    bytes: Uint8Array,
    to: Endpoint | undefined,
    failed: (error: NodeJS.ErrnoException, atOnce: boolean) => void,
  ): void {
    try {
      this.#socket.send(bytes, to);
    } catch (error) {
      // Our own packet filter may have said who it is beside refusing.
      if (this.#ears !== undefined) this.#takeErrors(this.#ears);
      failed(error instanceof Error ? error : new Error(String(error)), true);
    }
  }
}

/** Throws SocketFailed. */
function openKernelSocket(
  kernel: Kernel,
  session: Session,
  record: SocketRecord,
  { bind, connect, broadcast, shared }: DatagramOpening,
): DatagramSocket {
  try {
    const socket = kernel.open('udp', session.target.family);
    session.own(() => {
      socket.close();
      if (record.state === 'open') record.state = 'closed';
    });
    socket.showTtl();
    if (broadcast) socket.allowBroadcast();
    else socket.queueErrors(true);
    // Connecting chooses address and port as well.
    if (connect === undefined || shared || bind.address !== undefined) socket.bind(bind, shared);
    if (connect !== undefined) socket.connect(connect);
    return new KernelDatagramSocket(socket);
  } catch (error) {
    throw session.fail(record, error instanceof Error ? error : new Error(String(error)), true, record.openedMs);
  }
}

/** Zones aside, since not every system tells them. */
export function isAddressOf(from: string, address: string): boolean {
  return from === address || (from !== '' && canonicalAddress(from) === canonicalAddress(address));
}
