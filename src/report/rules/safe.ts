// Text of strangers in the languages of firewalls: what profiles, sites and reports say is never read as a command.
import { clean } from '../layout.js';

/**
 * Letters, digits and marks that mean nothing in a quoted string or a comment of nftables, iptables-restore, ASA, IOS and
 * PAN-OS, on one line. Not among them: quotes and backslashes; `?`, which asks for help as soon as it is typed, and
 * so breaks a pasted line; `!`, `#`, `$`, `|`, braces and brackets. Letters lose their accents.
 */
export function plain(text: string): string {
  return clean(text.replace(/[‘’“”"`´]/g, "'").replace(/[–—]/g, '-'))
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/\?/g, '.')
    .replace(/[^A-Za-z0-9 .,:;/()_+=@'>-]/g, ' ')
    .replace(/ +/g, ' ')
    .trim();
}

/** The same, at most so many characters. */
export function plainWithin(text: string, most: number): string {
  const all = plain(text);
  return all.length <= most ? all : `${all.slice(0, most - 3).trimEnd()}...`;
}

/** Short and the same for the same text: FNV-1a, 32 bits. For names that were cut, not for secrets. */
function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(36).padStart(7, '0');
}

/** A name of letters, digits, `.`, `_` and `-` that every firewall here takes for an object, at most so many characters. */
export function objectName(text: string, most: number): string {
  const name = text.replace(/[^A-Za-z0-9._-]/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  // What was exchanged or cut must not make two things one.
  if (name === text && name.length <= most) return name;
  const cut = name.slice(0, most - 8).replace(/[._-]+$/, '');
  return cut === '' ? `o-${digest(text)}` : `${cut}-${digest(text)}`;
}
