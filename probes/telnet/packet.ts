// Telnet as bytes (RFC 854, RFC 855): commands told from text, options by their names, and our side of a negotiation.
import { ProtocolError } from '../../src/bytes/errors.js';

// RFC 854, "TELNET command structure".
const SE = 240;
const SB = 250;
const WILL = 251;
const WONT = 252;
const DO = 253;
const DONT = 254;
const IAC = 255;
/** ABORT, SUSP and EOF of RFC 1184 §2.4, EOR of RFC 885; those of RFC 854 follow. */
const FIRST_COMMAND = 236;

/** RFC 860. */
export const TIMING_MARK = 6;

const VERBS = { WILL, WONT, DO, DONT } as const;
export type Verb = keyof typeof VERBS;

const VERB_OF: ReadonlyMap<number, Verb> = new Map([
  [WILL, 'WILL'],
  [WONT, 'WONT'],
  [DO, 'DO'],
  [DONT, 'DONT'],
]);

/** Nothing that a client refuses to talk of is longer. */
const MAX_SUBNEGOTIATION = 512;

// IANA, "Telnet Options".
const OPTIONS: Readonly<Record<number, string>> = {
  0: 'BINARY',
  1: 'ECHO',
  2: 'RECONNECTION',
  3: 'SUPPRESS-GO-AHEAD',
  4: 'MESSAGE-SIZE',
  5: 'STATUS',
  6: 'TIMING-MARK',
  7: 'RCTE',
  8: 'OUTPUT-LINE-WIDTH',
  9: 'OUTPUT-PAGE-SIZE',
  10: 'NAOCRD',
  11: 'NAOHTS',
  12: 'NAOHTD',
  13: 'NAOFFD',
  14: 'NAOVTS',
  15: 'NAOVTD',
  16: 'NAOLFD',
  17: 'EXTEND-ASCII',
  18: 'LOGOUT',
  19: 'BYTE-MACRO',
  20: 'DATA-ENTRY-TERMINAL',
  21: 'SUPDUP',
  22: 'SUPDUP-OUTPUT',
  23: 'SEND-LOCATION',
  24: 'TERMINAL-TYPE',
  25: 'END-OF-RECORD',
  26: 'TUID',
  27: 'OUTMRK',
  28: 'TTYLOC',
  29: '3270-REGIME',
  30: 'X.3-PAD',
  31: 'NAWS',
  32: 'TERMINAL-SPEED',
  33: 'TOGGLE-FLOW-CONTROL',
  34: 'LINEMODE',
  35: 'X-DISPLAY-LOCATION',
  36: 'ENVIRON',
  37: 'AUTHENTICATION',
  38: 'ENCRYPT',
  39: 'NEW-ENVIRON',
  40: 'TN3270E',
  41: 'XAUTH',
  42: 'CHARSET',
  43: 'RSP',
  44: 'COM-PORT-OPTION',
  45: 'SUPPRESS-LOCAL-ECHO',
  46: 'START-TLS',
  47: 'KERMIT',
  48: 'SEND-URL',
  49: 'FORWARD-X',
  138: 'PRAGMA-LOGON',
  139: 'SSPI-LOGON',
  140: 'PRAGMA-HEARTBEAT',
  255: 'EXTENDED-OPTIONS-LIST',
};

export interface Negotiation {
  readonly verb: Verb;
  readonly option: number;
}

export interface Parsed {
  /** What is left when the commands are taken out. */
  readonly text: Uint8Array;
  readonly negotiations: readonly Negotiation[];
  /** How many bytes were read; those behind begin a command whose end has not come. */
  readonly taken: number;
}

/** As much of a stream as is there. Throws ProtocolError for a command that Telnet has not, and one without end. */
export function parseTelnet(bytes: Uint8Array): Parsed {
  const text: number[] = [];
  const negotiations: Negotiation[] = [];
  let taken = 0;
  while (taken < bytes.length) {
    const byte = bytes[taken] ?? 0;
    if (byte !== IAC) {
      text.push(byte);
      taken += 1;
      continue;
    }
    const size = commandSize(bytes.subarray(taken));
    if (size === undefined) break;
    const command = bytes[taken + 1] ?? 0;
    const verb = VERB_OF.get(command);
    if (command === IAC) text.push(IAC);
    else if (verb !== undefined) negotiations.push({ verb, option: bytes[taken + 2] ?? 0 });
    taken += size;
  }
  return { text: Uint8Array.from(text), negotiations, taken };
}

/** Bytes of the command that `bytes` begins; undefined where its end has not come. */
function commandSize(bytes: Uint8Array): number | undefined {
  const [, command, option] = bytes;
  if (command === undefined) return undefined;
  if (command < FIRST_COMMAND) throw new ProtocolError(`an IAC and then ${command}, which is no Telnet command`);
  if (VERB_OF.has(command)) return option === undefined ? undefined : 3;
  if (command !== SB) return 2;
  for (let at = 2; at + 1 < bytes.length; at += 1) {
    if (bytes[at] !== IAC) continue;
    if (bytes[at + 1] === SE) return at + 2;
    // RFC 855: a byte 255 among the parameters is doubled.
    at += 1;
  }
  if (bytes.length > MAX_SUBNEGOTIATION) throw new ProtocolError('a Telnet subnegotiation without end');
  return undefined;
}

export function encodeNegotiation({ verb, option }: Negotiation): Uint8Array {
  return Uint8Array.of(IAC, VERBS[verb], option);
}

/**
 * What an end that has every option off, and wants to keep it so, says to a request: no to what asks to begin, nothing to
 * what confirms that it is off (RFC 1143 §7), so that two such ends never talk for ever.
 */
export function refusalOf({ verb, option }: Negotiation): Negotiation | undefined {
  if (verb === 'WILL') return { verb: 'DONT', option };
  return verb === 'DO' ? { verb: 'WONT', option } : undefined;
}

/** IANA has given it a name. */
export function isAssigned(option: number): boolean {
  return OPTIONS[option] !== undefined;
}

/** `ECHO`, or the number where it has no name. */
export function optionName(option: number): string {
  return OPTIONS[option] ?? `option ${option}`;
}

/**
 * Whether this can be what a terminal is to show: no control characters but those of RFC 854, "The NVT printer and
 * keyboard", and ESC; beyond ASCII, which is all that RFC 854 has, UTF-8.
 */
export function isShowable(text: Uint8Array): boolean {
  if (text.some((byte) => byte < 0x20 && byte !== 0 && (byte < 0x07 || byte > 0x0d) && byte !== 0x1b)) return false;
  try {
    // Its last character may not be all there yet.
    new TextDecoder('utf-8', { fatal: true }).decode(text, { stream: true });
    return true;
  } catch {
    return false;
  }
}
