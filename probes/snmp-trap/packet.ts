// The notification that says it is a test (RFC 3416 §4.2.6, §4.2.7). Messages around it: ../snmp/packet.ts. Pure.
import { TAG, objectIdentifier } from '../../src/bytes/ber.js';
import { VALUE, type VarBind } from '../snmp/packet.js';

/** RFC 3416 §4.2.6: the first two variables of every notification. */
const SYS_UP_TIME = '1.3.6.1.2.1.1.3.0';
const SNMP_TRAP_OID = '1.3.6.1.6.3.1.1.4.1.0';

/**
 * Under enterprise 32473, which RFC 5612 keeps for examples: no receiver has a rule for it that pages somebody.
 * RFC 2578 §8.5: the last but one number of a notification's name is 0.
 */
export const TEST_NOTIFICATION = '1.3.6.1.4.1.32473.162.0.1';
const TEST_TEXT = '1.3.6.1.4.1.32473.162.1.1.0';

/** What an operator reads who comes upon it, and by what it is found in a log. */
export function testText(nonce: Uint8Array): string {
  return `linecheck test, no action needed, nonce ${Buffer.from(nonce).toString('hex')}`;
}

export function testVariables(nonce: Uint8Array): readonly VarBind[] {
  return [
    { oid: SYS_UP_TIME, tag: VALUE.timeTicks, value: Uint8Array.of(0) },
    // An object identifier's content, without its tag and length.
    { oid: SNMP_TRAP_OID, tag: TAG.objectIdentifier, value: objectIdentifier(TEST_NOTIFICATION).subarray(2) },
    { oid: TEST_TEXT, tag: TAG.octetString, value: Buffer.from(testText(nonce)) },
  ];
}
