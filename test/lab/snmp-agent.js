// An SNMP agent by the npm package net-snmp, whose one user has a key that is lengthened as Cisco does: SHA-1, AES-256.
// `node snmp-agent.js ADDRESS PORT USER AUTH-PASSWORD PRIV-PASSWORD`
import process from 'node:process';
import snmp from 'net-snmp';

const [address, port, name, authKey, privKey] = process.argv.slice(2);
// RFC 3411 §5: enterprise 9, and an IPv4 address.
const engineID = '8000000901c0000207';
const agent = snmp.createAgent({ address, port: Number(port), engineID }, () => undefined);
agent.getAuthorizer().addUser({
  name,
  level: snmp.SecurityLevel.authPriv,
  authProtocol: snmp.AuthProtocols.sha,
  authKey,
  privProtocol: snmp.PrivProtocols.aes256r,
  privKey,
});
agent.getMib().registerProvider({
  name: 'sysUpTime',
  type: snmp.MibProviderType.Scalar,
  oid: '1.3.6.1.2.1.1.3',
  scalarType: snmp.ObjectType.TimeTicks,
  maxAccess: snmp.MaxAccess['read-only'],
});
agent.getMib().setScalarValue('sysUpTime', 12_345);
