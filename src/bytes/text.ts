// How a stranger's bytes may appear in a sentence or a dump: printable, short, and harmless to a terminal. Pure.

/** At most `max` characters of printable ASCII; everything else is a dot. */
export function printable(bytes: Uint8Array, max = 80): string {
  let text = '';
  for (const byte of bytes.subarray(0, max)) {
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
  }
  return bytes.length > max ? `${text}…` : text;
}

/** What a stranger's first bytes look like, for a person: `an SSH identification`. */
export function lookOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'nothing';
  const start = printable(bytes, 16);
  if (start.startsWith('SSH-')) return `an SSH identification (${printable(bytes, 40).replace(/\.+$/, '')})`;
  if (start.startsWith('HTTP/')) return `an HTTP answer (${printable(bytes, 40).split('..')[0] ?? ''})`;
  if (/^220[ -]/.test(start)) return `an SMTP or FTP greeting`;
  if (bytes[0] === 0x16 && bytes[1] === 0x03) return 'a TLS handshake record';
  if (bytes[0] === 0x15 && bytes[1] === 0x03) return 'a TLS alert record';
  return `${String(bytes.length)} bytes beginning "${start}"`;
}
