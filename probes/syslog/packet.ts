// A syslog message that says it is a test: RFC 5424, or the older form that RFC 3164 describes; and how it is framed
// over a stream (RFC 6587, RFC 5425). Pure.

/** RFC 5424 §6.2.1, table 1; the numbers of 9 to 15 have no agreed names but these. */
export const FACILITIES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
  'ntp',
  'audit',
  'alert',
  'clock',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const;

/** RFC 5424 §6.2.1, table 2. */
export const SEVERITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;

export interface TestMessage {
  readonly format: 'rfc5424' | 'rfc3164';
  readonly facility: (typeof FACILITIES)[number];
  readonly severity: (typeof SEVERITIES)[number];
  /** RFC 5424 §6.2.4: a name, or an address where there is none. */
  readonly hostname: string;
  readonly nonce: Uint8Array;
  /** Milliseconds since 1970. */
  readonly sentMs: number;
  /** Of local time from UTC; RFC 3164 has local time and does not say which. */
  readonly offsetMinutes: number;
}

/** What an operator reads who comes upon it, and by what it is found in a log. */
export function testText(nonce: Uint8Array): string {
  return `linecheck test, no action needed, nonce ${Buffer.from(nonce).toString('hex')}`;
}

const APP_NAME = 'linecheck';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** RFC 3164 §4.1.2: `Mmm dd hh:mm:ss`, the day of the month padded with a space. */
function localTimestamp(sentMs: number, offsetMinutes: number): string {
  const local = new Date(sentMs + offsetMinutes * 60_000);
  const day = String(local.getUTCDate()).padStart(2, ' ');
  return `${MONTHS[local.getUTCMonth()] ?? ''} ${day} ${local.toISOString().slice(11, 19)}`;
}

/** One message without its frame. */
export function encodeMessage(message: TestMessage): Uint8Array {
  const { facility, severity, hostname, sentMs } = message;
  const priority = FACILITIES.indexOf(facility) * 8 + SEVERITIES.indexOf(severity);
  const text = testText(message.nonce);
  const line =
    message.format === 'rfc5424'
      ? // RFC 5424 §6: version 1; no process, message id or structured data.
        `<${String(priority)}>1 ${new Date(sentMs).toISOString()} ${hostname} ${APP_NAME} - - - ${text}`
      : `<${String(priority)}>${localTimestamp(sentMs, message.offsetMinutes)} ${hostname} ${APP_NAME}: ${text}`;
  return new TextEncoder().encode(line);
}

/**
 * RFC 6587 §3.4: `octet-counting` puts the length before the message, and is all there is over TLS (RFC 5425 §4.3);
 * `newline` ends it with one.
 */
export function framed(message: Uint8Array, framing: 'octet-counting' | 'newline'): Uint8Array {
  return framing === 'newline'
    ? Buffer.concat([message, Buffer.from('\n')])
    : Buffer.concat([Buffer.from(`${String(message.length)} `), message]);
}
