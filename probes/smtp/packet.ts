// Reply codes as SMTP (RFC 5321 §4.2) and FTP (RFC 959 §4.2) both have them, commands, and what an SMTP server says of
// itself. No mail stands here.
import { ProtocolError } from '../../src/bytes/errors.js';
import { lookOf, printable } from '../../src/bytes/text.js';
import type { Facts } from '../../src/contract/outcome.js';
import type { Kit, Stream } from '../../src/contract/probe.js';

/** RFC 5321 §4.5.3.1.5 allows 512; FTP sets no limit, and banners are long. */
const MAX_LINE = 2048;
/** Terms of use in a banner run to dozens of lines; nothing needs more. */
const MAX_LINES = 200;
/** What a fact may carry of a stranger's text, characters, and of its lists. */
const MAX_TEXT = 200;
const MAX_NAMES = 40;
const MAX_NAME = 40;

const LF = Uint8Array.of(0x0a);

export interface ReplyLine {
  readonly code: number;
  /** More lines of the same reply follow. */
  readonly more: boolean;
  readonly text: string;
}

/** A reply of one or more lines, their codes taken off. */
export interface Reply {
  readonly code: number;
  readonly lines: readonly string[];
}

const REPLY_LINE = /^([1-5]\d\d)(?:([ -])(.*))?$/;

/** One line with its code, line end included. Throws ProtocolError for any other. */
export function parseReplyLine(line: Uint8Array): ReplyLine {
  const [, code, separator, text = ''] = REPLY_LINE.exec(textOf(line)) ?? [];
  if (code === undefined || line.at(-1) !== 0x0a) throw new ProtocolError(`${lookOf(line)}, no line with a reply code`);
  return { code: Number(code), more: separator === '-', text };
}

/** Printable, its line end taken off: CR LF, or the LF alone of careless servers. */
function textOf(line: Uint8Array): string {
  const end = line.at(-1) === 0x0a ? (line.at(-2) === 0x0d ? -2 : -1) : undefined;
  return printable(line.subarray(0, end), MAX_LINE);
}

/**
 * The next whole reply. Throws ProtocolError as soon as it is clear that none comes, EndOfStream where the peer ends
 * before.
 */
export async function nextReply(stream: Stream): Promise<Reply> {
  // Four bytes tell: a stranger may never end its line.
  const start = await stream.read({ atLeast: 4, max: 4 });
  if (!/^[1-5]\d\d[ \r\n-]/.test(Buffer.from(start).toString('latin1'))) {
    throw new ProtocolError(lookOf(Buffer.concat([start, await stream.read({ atLeast: 0, max: 76 })])));
  }
  const rest = start[3] === 0x0a ? new Uint8Array(0) : await stream.readUntil(LF, MAX_LINE);
  const first = parseReplyLine(Buffer.concat([start, rest]));
  const lines = [first.text];
  for (let { more } = first; more;) {
    if (lines.length >= MAX_LINES) throw new ProtocolError(`a reply ${first.code} of more than ${MAX_LINES} lines`);
    const line = textOf(await stream.readUntil(LF, MAX_LINE));
    // RFC 959 §4.2: in between a line may be any text; the last begins with the code and a space.
    const [, code, separator, text = ''] = REPLY_LINE.exec(line) ?? [];
    const same = code === String(first.code);
    lines.push(same ? text : line);
    more = !same || separator === '-';
  }
  return { code: first.code, lines };
}

/** On one line, for a person: `554 no SMTP service here`. */
export function sentenceOf({ code, lines }: Reply): string {
  const text = [code, ...lines.map((line) => line.trim())].filter((part) => part !== '').join(' ');
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

/** RFC 2034 §4, RFC 3463 §2: `5.5.2` at the beginning of a reply is SMTP's, and no other protocol's. */
export function hasEnhancedCode({ lines }: Reply): boolean {
  return /^[245]\.\d{1,3}\.\d{1,3}(?: |$)/.test(lines[0] ?? '');
}

/** Names of a stranger's list, few and short. */
export function capped(names: readonly string[]): readonly string[] {
  return names.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_NAME));
}

export function encodeCommand(...words: readonly string[]): Uint8Array {
  return Buffer.from(`${words.join(' ')}\r\n`, 'latin1');
}

/**
 * Whether a refusal can be an SMTP server's own word: codes that it shares with FTP servers, for a command that they do
 * not know or want a login for (50x, 530), say so only with an enhanced code.
 */
export function isSmtpRefusal(reply: Reply): boolean {
  const shared = (reply.code >= 500 && reply.code < 510) || reply.code === 530;
  return reply.code >= 400 && (!shared || hasEnhancedCode(reply));
}

/** The service extensions that a reply to EHLO lists (RFC 5321 §4.1.1.1), keywords in capitals, with their words. */
export function extensionsOf({ lines }: Reply): ReadonlyMap<string, readonly string[]> {
  return new Map(
    lines.slice(1).map((line): [string, readonly string[]] => {
      // Old servers write AUTH=LOGIN.
      const [keyword = '', ...words] = line.trim().split(/[ =]+/);
      return [keyword.toUpperCase(), words];
    }),
  );
}

/** What an EHLO says to a technician. */
export function ehloFacts(reply: Reply): Facts {
  const extensions = extensionsOf(reply);
  const [name = ''] = (reply.lines[0] ?? '').split(' ');
  const size = Number(extensions.get('SIZE')?.[0]);
  const auth = extensions.get('AUTH') ?? [];
  const masked = [...extensions.keys()].filter((keyword) => /^X{4,}[A-Z]?$/.test(keyword));
  return {
    ...(name === '' ? {} : { name: name.slice(0, MAX_TEXT) }),
    extensions: capped([...extensions.keys()]),
    // RFC 1870 §3: 0 is no limit.
    ...(Number.isSafeInteger(size) && size > 0 ? { sizeLimit: size } : {}),
    ...(auth.length === 0 ? {} : { auth: capped(auth) }),
    // A firewall that inspects ESMTP writes X over what it does not let pass, STARTTLS among it (Cisco ASA, inspect esmtp).
    ...(masked.length === 0 ? {} : { maskedExtensions: capped(masked) }),
  };
}

/** What the greeting says; a firewall that inspects ESMTP writes asterisks over its text (Cisco ASA, mask-banner). */
export function greetingFacts(greeting: Reply): Facts {
  const masked = /^[*02 ]*\*{8}[*02 ]*$/.test(greeting.lines.join(' '));
  return { greeting: sentenceOf(greeting), ...(masked ? { maskedGreeting: true } : {}) };
}

/** How long a server may take to say goodbye, ms; its answer is in already. */
const FAREWELL_MS = 1000;

/** QUIT, and the wait for its reply: a server that is merely left logs a lost connection. Never throws. */
export async function leave(stream: Stream, kit: Kit): Promise<void> {
  try {
    await stream.write(encodeCommand('QUIT'));
    await stream.peek(FAREWELL_MS);
    await stream.end();
  } catch {
    // The answer is in; whether the goodbye arrives does not change what was seen.
    kit.note('the server did not wait for our QUIT');
  }
}
