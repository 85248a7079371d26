// The `ssh` probe: its bytes against RFCs and captures, what it says of servers of all kinds, real ones among them.
import { execFile } from 'node:child_process';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import * as packet from '../../probes/ssh/packet.js';
import {
  MSG_DEBUG,
  MSG_IGNORE,
  encodeDisconnect,
  encodeKexInit,
  encodePacket,
  parseDisconnect,
  parseIdentification,
  parseKexInit,
  parsePacket,
  readPacketSize,
} from '../../probes/ssh/packet.js';
import * as module from '../../probes/ssh/probe.js';
import { ProtocolError } from '../../src/bytes/errors.js';
import type { Attempt, Outcome } from '../../src/contract/outcome.js';
import { requireServer, skipFor } from '../lab/requirements.js';
import { sshd } from '../lab/servers.js';
import { describeConformance } from './conformance.js';
import { describeDecoders } from './decoders.js';
import { askOnce, loopbackAddress, noFamily, standInAt, tcpPeer } from './scenes.js';
import { vector } from './vectors.js';

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const zeros = (size: number): Uint8Array => new Uint8Array(size);

const openssh = vector('ssh/openssh-9.2p1.hex');
const oldAlgorithms = vector('ssh/openssh-9.2p1-old-algorithms.hex');
const dropbear = vector('ssh/dropbear-2022.83.hex');
const maxStartups = vector('ssh/openssh-9.2p1-max-startups.hex');
const captures = [openssh, oldAlgorithms, dropbear];

/** A capture's identification line and the packet after it. */
function split(capture: Uint8Array): { readonly line: Uint8Array; readonly packet: Uint8Array } {
  const end = capture.indexOf(0x0a) + 1;
  return { line: capture.subarray(0, end), packet: capture.subarray(end) };
}

describe('an SSH identification', () => {
  it.each([
    // RFC 4253 §4.2.
    ['SSH-2.0-billsSSH_3.6.3q3\r\n', { protocol: '2.0', software: 'billsSSH_3.6.3q3' }],
    ['SSH-1.99-OpenSSH_3.9p1\n', { protocol: '1.99', software: 'OpenSSH_3.9p1' }],
    ['SSH-2.0-Cisco-1.25\n', { protocol: '2.0', software: 'Cisco-1.25' }],
    ['SSH-2.0-a b c\r\n', { protocol: '2.0', software: 'a', comments: 'b c' }],
    ['SSH-2.0-\r\n', { protocol: '2.0', software: '' }],
  ])('is read from %j', (line, identification) => {
    expect(parseIdentification(latin1(line))).toEqual(identification);
  });

  it.each(['SSH-2.0\r\n', 'ssh-2.0-x\r\n', 'SSH-two-x\r\n', 'HTTP/1.1 400 Bad Request\r\n', ''])(
    'is not read from %j',
    (line) => {
      expect(() => parseIdentification(latin1(line))).toThrow(ProtocolError);
    },
  );

  it('has at most 255 bytes', () => {
    const longest = `SSH-2.0-${'x'.repeat(245)}\r\n`;
    expect(longest).toHaveLength(255);
    expect(parseIdentification(latin1(longest)).software).toHaveLength(245);
    expect(() => parseIdentification(latin1(`SSH-2.0-x${'x'.repeat(245)}\r\n`))).toThrow('255 is the limit');
  });

  it('keeps no control character of a comment', () => {
    expect(parseIdentification(latin1('SSH-2.0-x \x1b[2Jy\xff\r\n')).comments).toBe('.[2Jy.');
  });
});

describe('an SSH packet', () => {
  it.each([0, 11, 13, 35_004, 0xffff_ffff])('is none with a length field of %i', (length) => {
    const start = Buffer.alloc(4);
    start.writeUInt32BE(length);
    expect(() => readPacketSize(start)).toThrow('impossible size');
  });

  it.each([12, 34_996])('may have a length field of %i', (length) => {
    const start = Buffer.alloc(4);
    start.writeUInt32BE(length);
    expect(readPacketSize(start)).toBe(length + 4);
  });

  it('comes back from its bytes, whatever its size', () => {
    for (let size = 1; size < 40; size += 1) {
      const bytes = encodePacket(new Uint8Array(size).fill(7), zeros);
      expect(bytes.length % 8).toBe(0);
      expect(bytes[4]).toBeGreaterThanOrEqual(4);
      expect(parsePacket(bytes)).toEqual(new Uint8Array(size).fill(7));
    }
  });

  it('is none with too little padding, no payload, or bytes after it', () => {
    const sound = encodePacket(latin1('payload'), zeros);
    expect(() => parsePacket(sound.with(4, 3))).toThrow('3 bytes of padding');
    expect(() => parsePacket(sound.with(4, sound.length - 5))).toThrow('bytes of padding');
    expect(() => parsePacket(Uint8Array.from([...sound, 0]))).toThrow('1 bytes after');
  });
});

describe('an SSH KEXINIT', () => {
  /** With the three examples of RFC 4251 §5 as its first lists: empty, "zlib", "zlib,none". */
  const fromRfc = Uint8Array.from(
    Buffer.from(
      `14${'00'.repeat(16)}00000000000000047a6c6962000000097a6c69622c6e6f6e65${'00000000'.repeat(7)}0100000000`,
      'hex',
    ),
  );

  it('has name-lists as in RFC 4251', () => {
    const kexInit = parseKexInit(fromRfc);
    expect(kexInit.kexAlgorithms).toEqual([]);
    expect(kexInit.hostKeyAlgorithms).toEqual(['zlib']);
    expect(kexInit.ciphersToServer).toEqual(['zlib', 'none']);
    expect(kexInit.firstKexPacketFollows).toBe(true);
    expect(encodeKexInit(kexInit, zeros)).toEqual(fromRfc);
  });

  it('drops the empty name after a trailing comma, and refuses names that do not print', () => {
    expect(parseKexInit(withByte(fromRfc, 'none', 'non,')).ciphersToServer).toEqual(['zlib', 'non']);
    expect(() => parseKexInit(withByte(fromRfc, 'none', 'no\x1be'))).toThrow('not printable');
  });

  it.each(captures.map((capture) => [split(capture).line.toString(), split(capture).packet] as const))(
    'comes back from the bytes of a real server: %#',
    (_, bytes) => {
      const payload = parsePacket(bytes);
      const cookie = payload.subarray(1, 17);
      expect(encodeKexInit(parseKexInit(payload), () => cookie)).toEqual(payload);
    },
  );
});

function withByte(bytes: Uint8Array, from: string, to: string): Uint8Array {
  return latin1(Buffer.from(bytes).toString('latin1').replace(from, to));
}

describe('an SSH DISCONNECT', () => {
  it('comes back from its bytes, its description printable', () => {
    expect(parseDisconnect(encodeDisconnect(12, 'too\nbusy'))).toEqual({
      code: 12,
      reason: 'too many connections',
      description: 'too.busy',
    });
  });

  it('needs no language tag, and may have a reason of its own', () => {
    const bytes = encodeDisconnect(0x7fff_ffff, 'x');
    expect(parseDisconnect(bytes.subarray(0, -4)).reason).toBe('reason 2147483647');
  });
});

describeDecoders(packet, {
  parseIdentification: { decode: parseIdentification, samples: captures.map((capture) => split(capture).line) },
  readPacketSize: { decode: readPacketSize, samples: captures.map((capture) => split(capture).packet.subarray(0, 4)) },
  parsePacket: { decode: parsePacket, samples: captures.map((capture) => split(capture).packet) },
  parseKexInit: {
    decode: parseKexInit,
    samples: captures.map((capture) => parsePacket(split(capture).packet)),
  },
  parseDisconnect: { decode: parseDisconnect, samples: [encodeDisconnect(2, 'protocol error')] },
});

describe('the ssh probe', () => {
  const bound = module.probe.bind('tcp', module.probe.options.parse({}));
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  async function askPeer(serve: (socket: Socket) => void, deadlineMs = 10_000): Promise<Outcome> {
    const peer = await tcpPeer(serve);
    closing.push(() => peer.close());
    return (await askOnce(bound, peer.port, { deadlineMs })).outcome;
  }
  const says =
    (...bytes: readonly Uint8Array[]) =>
    (socket: Socket): void =>
      void socket.write(Buffer.concat(bytes));
  const saysAndEnds =
    (...bytes: readonly Uint8Array[]) =>
    (socket: Socket): void =>
      void socket.end(Buffer.concat(bytes));

  it('tells what Dropbear is and offers', async () => {
    expect(await askPeer(says(dropbear))).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: {
        protocol: '2.0',
        software: 'dropbear_2022.83',
        kexAlgorithms: [
          'curve25519-sha256',
          'curve25519-sha256@libssh.org',
          'ecdh-sha2-nistp521',
          'ecdh-sha2-nistp384',
          'ecdh-sha2-nistp256',
          'diffie-hellman-group14-sha256',
          'diffie-hellman-group14-sha1',
          'kexguess2@matt.ucc.asn.au',
          'kex-strict-s-v00@openssh.com',
        ],
        hostKeyAlgorithms: ['ssh-ed25519', 'rsa-sha2-256', 'ssh-rsa'],
        ciphers: ['chacha20-poly1305@openssh.com', 'aes128-ctr', 'aes256-ctr'],
        macs: ['hmac-sha1', 'hmac-sha2-256'],
        compression: ['zlib@openssh.com', 'none'],
      },
    });
  });

  it('tells old algorithms of an OpenSSH', async () => {
    expect(await askPeer(says(oldAlgorithms))).toMatchObject({
      kind: 'answered',
      facts: {
        software: 'OpenSSH_9.2p1',
        kexAlgorithms: ['diffie-hellman-group14-sha1', 'kex-strict-s-v00@openssh.com'],
        ciphers: ['aes128-cbc', '3des-cbc'],
        macs: ['hmac-sha1'],
        compression: ['none'],
      },
    });
  });

  it('tells the directions apart where they differ', async () => {
    const kexInit = parseKexInit(parsePacket(split(dropbear).packet));
    const uneven = encodePacket(encodeKexInit({ ...kexInit, ciphersToClient: ['aes128-cbc'] }, zeros), zeros);
    const outcome = await askPeer(says(latin1('SSH-2.0-x\r\n'), uneven));
    expect(outcome).toMatchObject({ facts: { ciphers: kexInit.ciphersToServer, ciphersToClient: ['aes128-cbc'] } });
  });

  it('introduces itself with the attempt’s nonce, and leaves with a DISCONNECT by application', async () => {
    const heard: Buffer[] = [];
    const left = new Promise<void>((resolve) => {
      void askPeer((socket) => {
        socket.on('data', (chunk: Buffer) => heard.push(chunk));
        socket.once('end', resolve);
        socket.write(openssh);
      });
    });
    await left;
    const { line, packet: farewell } = split(Buffer.concat(heard));
    expect(Buffer.from(line).toString()).toMatch(/^SSH-2\.0-linecheck [0-9a-f]{16}\r\n$/);
    expect(parseDisconnect(parsePacket(farewell))).toMatchObject({
      code: 11,
      description: 'linecheck: the port was checked, no login was tried',
    });
  });

  it('waits for a slow banner, and keeps the lines before the identification', async () => {
    const outcome = await askPeer((socket) => {
      socket.write('Authorised access only\r\n');
      setTimeout(() => socket.write('SSH-2.0-'), 60);
      setTimeout(() => socket.write(Buffer.concat([latin1('slow\r\n'), split(openssh).packet])), 120);
    });
    expect(outcome).toMatchObject({
      kind: 'answered',
      facts: { software: 'slow', notice: ['Authorised access only'] },
    });
  });

  it.each(['SSH-2.0-x\n', 'SSH-1.99-x\r\n'])('takes %j for a server of today', async (line) => {
    expect(await askPeer(says(latin1(line), split(openssh).packet))).toMatchObject({ kind: 'answered' });
  });

  it('calls a server of SSH 1 alone a stranger', async () => {
    expect(await askPeer(says(latin1('SSH-1.5-1.2.27\n')))).toEqual({
      kind: 'stranger',
      came: 'other-protocol',
      detail: 'SSH protocol 1.5 (1.2.27), not 2.0',
      facts: { protocol: '1.5', software: '1.2.27' },
    });
  });

  it('tells the line of a server that has too many visitors', async () => {
    expect(await askPeer(saysAndEnds(maxStartups))).toEqual({
      kind: 'stranger',
      came: 'close',
      detail: 'the line "Exceeded MaxStartups", then the end of the connection',
      facts: { notice: ['Exceeded MaxStartups'] },
    });
  });

  it.each([
    ['Not allowed at this time\r\n', 'the line "Not allowed at this time", then the end of the connection'],
    ['SSH-2.0-x\r\n', 'an SSH identification (x), then the end of the connection before its KEXINIT'],
    ['SSH-2.0-x', 'an SSH identification (SSH-2.0-x), then the end of the connection'],
    ['', 'the connection was closed before an SSH identification'],
  ])('tells what came before a close: %j', async (text, detail) => {
    expect(await askPeer(saysAndEnds(latin1(text)))).toMatchObject({ kind: 'stranger', came: 'close', detail });
  });

  it.each([
    ['HTTP/1.1 400 Bad Request\r\n', /^an HTTP answer/],
    ['220 mail.example.net ESMTP\r\n', /^an SMTP or FTP greeting/],
    ['+OK ready\r\n', /\+OK ready/],
    ['\x15\x03\x01\x00\x02\x02\x46', /^a TLS alert/],
    [`SSH-2.0-${'x'.repeat(300)}`, /^an SSH identification/],
    ['SSH-2.0-x\r\n\0\0\0\x0c\x0f\x14..........', /^an SSH packet with 15 bytes of padding/],
    ['SSH-2.0-x\r\n\xff\xff\xff\xffgarbage', /^an SSH packet of impossible size/],
  ])('names another protocol as soon as it is clear: %j', async (text, detail) => {
    const outcome = await askPeer(says(latin1(text)));
    expect(outcome).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
    expect(outcome.kind === 'stranger' ? outcome.detail : '').toMatch(detail);
  });

  const line = latin1('SSH-2.0-x\r\n');
  it('takes a DISCONNECT instead of a KEXINIT for an answer, with its reason', async () => {
    expect(await askPeer(saysAndEnds(line, encodePacket(encodeDisconnect(12, 'come back later'), zeros)))).toEqual({
      kind: 'answered',
      depth: 'protocol',
      facts: { protocol: '2.0', software: 'x', disconnect: 'too many connections: come back later' },
    });
  });

  it('says that it was turned away where the server refuses this host', async () => {
    expect(await askPeer(saysAndEnds(line, encodePacket(encodeDisconnect(1, ''), zeros)))).toMatchObject({
      kind: 'turned-away',
      presented: 'client',
      by: 'SSH DISCONNECT, host not allowed to connect',
    });
  });

  it('passes over IGNORE and DEBUG, but not for ever', async () => {
    const ignore = encodePacket(Uint8Array.of(MSG_IGNORE, 0, 0, 0, 0), zeros);
    const debug = encodePacket(Uint8Array.of(MSG_DEBUG, 0, 0, 0, 0, 0, 0, 0, 0, 0), zeros);
    expect(await askPeer(says(line, ignore, debug, split(openssh).packet))).toMatchObject({ kind: 'answered' });
    const endless = Array.from({ length: 100 }, () => ignore);
    expect(await askPeer(says(line, ...endless))).toMatchObject({ kind: 'stranger', came: 'other-protocol' });
  });

  it('has its answer also from a server that resets at our goodbye', async () => {
    const outcome = await askPeer((socket) => {
      let heard = 0;
      socket.on('data', () => {
        heard += 1;
        if (heard === 2) socket.resetAndDestroy();
      });
      socket.write(openssh);
    });
    expect(outcome).toMatchObject({ kind: 'answered', depth: 'protocol' });
  });
});

describe('OpenSSH', () => {
  const bound = module.probe.bind('tcp', module.probe.options.parse({}));

  it.for([4, 6] as const)('sshd answers, is refused when stopped, and logs no error: IPv%i', async (family, ctx) => {
    requireServer(ctx, 'sshd', 'openssh-server');
    skipFor(ctx, noFamily(family));
    const server = await sshd({ addresses: [loopbackAddress[family]] });
    let attempt: Attempt;
    try {
      attempt = await askOnce(bound, server.port, { deadlineMs: 10_000, family });
      await expect.poll(() => server.logs()).toContain(':11: linecheck: the port was checked, no login was tried');
    } finally {
      await server.stop();
    }
    expect(attempt.outcome).toMatchObject({ kind: 'answered', depth: 'protocol', facts: { protocol: '2.0' } });
    const facts = attempt.outcome.kind === 'answered' ? attempt.outcome.facts : {};
    expect(facts['software']).toMatch(/^OpenSSH_/);
    expect(facts['hostKeyAlgorithms']).toContain('ssh-ed25519');
    expect(facts['kexAlgorithms']).toContain('curve25519-sha256');
    expect(facts['ciphers']).toContain('aes128-ctr');
    expect(facts['macs']).toContain('hmac-sha2-256');
    expect(server.logs()).not.toMatch(/error|fatal|Bad protocol|Did not receive/i);
    const stopped = await askOnce(bound, server.port, { deadlineMs: 10_000, family });
    expect(stopped.outcome).toMatchObject({ kind: 'refused', signal: 'refused' });
  });

  it('sshd keeps no place occupied by visits that are over', async (ctx) => {
    requireServer(ctx, 'sshd', 'openssh-server');
    // From the second unauthenticated visitor at a time on, all are dropped. PerSourcePenalties (9.8 on) is not at issue.
    const server = await sshd({ extra: ['MaxStartups 2:100:2', ...(await penaltiesOff())] });
    try {
      for (let visit = 0; visit < 6; visit += 1) {
        const { outcome } = await askOnce(bound, server.port, { deadlineMs: 10_000 });
        expect(outcome.kind).toBe('answered');
        const farewells = (): number => server.logs().split(':11: linecheck').length - 1;
        await expect.poll(farewells).toBeGreaterThan(visit);
      }
      expect(server.logs()).not.toContain('MaxStartups throttling');
    } finally {
      await server.stop();
    }
  });

  it('ssh finds in the stand-in a server that it understands and that lets nobody in', async (ctx) => {
    requireServer(ctx, 'ssh', 'openssh-client');
    const peer = await standInAt(module.standIn);
    try {
      const said = await run('ssh', [
        '-F',
        '/dev/null',
        '-v',
        '-o',
        'BatchMode=yes',
        '-p',
        String(peer.port),
        'a@127.0.0.1',
      ]);
      expect(said).toContain('remote software version linecheck-stand-in');
      expect(said).toContain('kex: algorithm: curve25519-sha256');
      expect(said).toContain('linecheck stand-in: nobody can log in here');
    } finally {
      await peer.close();
    }
  });
});

/** Standard output and standard error, whatever the exit code. */
function run(file: string, words: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(file, [...words], (_, stdout, stderr) => resolve(stdout + stderr));
  });
}

async function penaltiesOff(): Promise<readonly string[]> {
  const said = await run('sh', ['-c', 'PATH="$PATH:/usr/sbin"; sshd -T -o PerSourcePenalties=no -o HostKey=none 2>&1']);
  return /Bad configuration option|Bad option/i.test(said) ? [] : ['PerSourcePenalties no'];
}

describeConformance(module, { name: 'ssh', carrier: 'tcp' });
