// What an SNMP engine id tells of its device (RFC 3411 §5, SnmpEngineID). Pure.
import type { Facts } from '../../src/contract/outcome.js';
import { printable } from '../../src/bytes/text.js';
import type { SecuredMessage } from './message.js';

/** From IANA's private enterprise numbers: makers of what stands in such networks. */
const VENDORS: Readonly<Record<number, string>> = {
  9: 'Cisco',
  11: 'Hewlett-Packard',
  232: 'Compaq (HPE)',
  311: 'Microsoft',
  318: 'APC',
  674: 'Dell',
  1916: 'Extreme Networks',
  2011: 'Huawei',
  2021: 'UCD-SNMP',
  2636: 'Juniper Networks',
  3375: 'F5',
  6876: 'VMware',
  8072: 'net-snmp',
  9694: 'Arbor Networks',
  12356: 'Fortinet',
  14988: 'MikroTik',
  25461: 'Palo Alto Networks',
  30065: 'Arista Networks',
  41112: 'Ubiquiti',
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The part after the enterprise, where its format byte says what it is. */
function identityIn(engineId: Uint8Array): Facts {
  const format = engineId[4];
  const rest = engineId.subarray(5);
  if (format === 1 && rest.length === 4) return { engineAddress: rest.join('.') };
  if (format === 3 && rest.length === 6) return { engineMac: hex(rest).replace(/(..)(?=.)/g, '$1:') };
  if (format === 4 && rest.length > 0) return { engineText: printable(rest) };
  return {};
}

/** Facts of an engine: who it says it is, how often it was started and for how long it runs. */
export function engineFacts({
  engineId,
  boots,
  seconds,
}: Pick<SecuredMessage, 'engineId' | 'boots' | 'seconds'>): Facts {
  if (engineId.length < 5) return {};
  const enterprise = Buffer.from(engineId).readUInt32BE(0) & 0x7fff_ffff;
  const vendor = VENDORS[enterprise];
  return {
    engineId: hex(engineId),
    enterprise,
    ...(vendor === undefined ? {} : { vendor }),
    // Without the first bit it is of the older form, whose rest means nothing to others.
    ...((engineId[0] ?? 0) >= 0x80 ? identityIn(engineId) : {}),
    engineBoots: boots,
    engineTimeSeconds: seconds,
  };
}
