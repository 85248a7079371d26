// Hosts as users write them: canonical addresses and valid names, or a sentence that says what is wrong. Pure.
import { domainToASCII } from 'node:url';
import ipaddr from 'ipaddr.js';
import type { Family } from '../contract/flow.js';
import { quoted } from './problem.js';

export type Host =
  | { readonly ok: true; readonly kind: 'address'; readonly host: string; readonly family: Family }
  | { readonly ok: true; readonly kind: 'name'; readonly host: string }
  /** `why` continues a sentence that begins with the text as written: `is a network, not one host`. */
  | { readonly ok: false; readonly why: string };

/**
 * Takes IPv4 as four decimal numbers, IPv6 in any RFC 4291 form (made canonical, RFC 5952; a zone for link-local only),
 * and host names (RFC 1123 §2.1, underscores allowed, lower-cased). Everything that some resolver would read as
 * another address than a person does (`127.1`, `0x7f.1`, `010.0.0.1`) is refused.
 */
export function parseHost(text: string): Host {
  const read = readHost(text);
  if (read.ok) return read;
  const better = read.meant === undefined ? undefined : readHost(read.meant);
  return { ok: false, why: better?.ok === true ? `${read.why}; did you mean ${quoted(better.host)}?` : read.why };
}

/** `meant`: what the writer may have had in mind. */
type Reading =
  Exclude<Host, { readonly ok: false }> | { readonly ok: false; readonly why: string; readonly meant?: string };

function readHost(text: string): Reading {
  if (text === '') return no('is empty');
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text)) return no('contains a control character');
  if (/\s/.test(text)) return no('contains a space', text.trim());
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    return no('is a URL, not a host', text.replace(/^[^/]*\/\//, '').replace(/[/?#].*$/, ''));
  }
  if (text.includes('/')) return no('is a network or a path, not one host', text.replace(/\/.*$/, ''));
  if (text.includes('@')) return no('names a user, not a host', text.replace(/^.*@/, ''));
  if (text.startsWith('[')) {
    const bare = /^\[([^\]]*)\](:\d+)?$/.exec(text)?.[1];
    return no('has brackets; a port belongs under "flows"', bare);
  }
  const colons = text.split(':').length - 1;
  if (colons === 1)
    return no('has a port or an incomplete IPv6 address; a port belongs under "flows"', text.split(':')[0]);
  if (colons > 1) return readV6(text);
  return endsInNumber(text) ? readV4(text) : readName(text);
}

function no(why: string, meant?: string): Reading {
  return meant === undefined ? { ok: false, why } : { ok: false, why, meant };
}

/** Whoever ends in a number would be read as IPv4 by inet_aton and by the WHATWG URL parser. */
function endsInNumber(text: string): boolean {
  const last = text.replace(/\.$/, '').split('.').at(-1) ?? '';
  return /^(\d+|0x[0-9a-f]*)$/i.test(last);
}

function readV4(text: string): Reading {
  if (ipaddr.IPv4.isValidFourPartDecimal(text) && text.split('.').every((part) => String(Number(part)) === part)) {
    if (text === '0.0.0.0') return no('means every address of this machine, not one host');
    if (text === '255.255.255.255' || /^2(2[4-9]|3\d)\./.test(text))
      return no('is a broadcast or multicast address, not one host');
    return { ok: true, kind: 'address', host: text, family: 4 };
  }
  const why = 'is not an IPv4 address of four decimal numbers from 0 to 255';
  if (/^(\d+\.){3}\d+$/.test(text)) return no(why, text.split('.').map(Number).join('.'));
  return no(why, looseV4(text));
}

/** What inet_aton would make of it. */
function looseV4(text: string): string | undefined {
  try {
    return ipaddr.IPv4.isValid(text) ? ipaddr.IPv4.parse(text).toString() : undefined;
  } catch {
    return undefined;
  }
}

function readV6(text: string): Reading {
  const [bare = '', ...zones] = text.split('%');
  if (zones.length > 1 || !ipaddr.IPv6.isValid(bare)) return no('is not an IPv6 address');
  const address = ipaddr.IPv6.parse(bare);
  if (address.isIPv4MappedAddress()) return no('is an IPv4 address in IPv6 form', address.toIPv4Address().toString());
  const range = address.range();
  if (range === 'unspecified') return no('means every address of this machine, not one host');
  if (range === 'multicast') return no('is a multicast address, not one host');
  const canonical = address.toRFC5952String();
  const [zone] = zones;
  if (zone === undefined) return { ok: true, kind: 'address', host: canonical, family: 6 };
  if (range !== 'linkLocal') return no('has a zone, which only link-local addresses have', canonical);
  if (!/^[A-Za-z0-9._-]{1,15}$/.test(zone)) return no('has a zone that is no interface name');
  return { ok: true, kind: 'address', host: `${canonical}%${zone}`, family: 6 };
}

function readName(text: string): Reading {
  const absolute = text.replace(/\.$/, '');
  // Unicode has many letters that look alike; the form that goes on the wire is the one to write.
  if (/[^\u0020-\u007e]/.test(text)) return no('is not ASCII', domainToASCII(text));
  if (absolute.length > 253) return no('is longer than the 253 characters of a host name');
  if (absolute.split('.').some((label) => !/^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label))) {
    return no('is neither an address nor a valid host name');
  }
  return { ok: true, kind: 'name', host: text.toLowerCase() };
}

/** What may stand under `source`: an address of this machine or the name of an interface. Undefined where it is fine. */
export function sourceProblem(text: string): string | undefined {
  if (/^[0-9.]+$/.test(text) || text.includes(':') || /^0x/i.test(text)) {
    const host = parseHost(text);
    return host.ok ? undefined : host.why;
  }
  // Linux allows 15 characters; Windows has names with spaces, "Ethernet 2".
  return /^[\p{L}\p{N}][\p{L}\p{N} ._@()-]{0,63}$/u.test(text)
    ? undefined
    : 'is neither an address nor an interface name';
}
