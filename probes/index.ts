// The one registry of probes, lazy: a name, and how to load its folder.
import type { ProbeModule } from '../src/contract/probe.js';

export const probes: Readonly<Record<string, () => Promise<ProbeModule>>> = {
  dhcp: () => import('./dhcp/probe.js'),
  discovery: () => import('./discovery/probe.js'),
  dns: () => import('./dns/probe.js'),
  echo: () => import('./echo/probe.js'),
  esp: () => import('./esp/probe.js'),
  ftp: () => import('./ftp/probe.js'),
  gre: () => import('./gre/probe.js'),
  http: () => import('./http/probe.js'),
  https: () => import('./https/probe.js'),
  icmp: () => import('./icmp/probe.js'),
  ike: () => import('./ike/probe.js'),
  'ipsec-over-udp': () => import('./ipsec-over-udp/probe.js'),
  ldap: () => import('./ldap/probe.js'),
  ntp: () => import('./ntp/probe.js'),
  radius: () => import('./radius/probe.js'),
  smtp: () => import('./smtp/probe.js'),
  snmp: () => import('./snmp/probe.js'),
  'snmp-trap': () => import('./snmp-trap/probe.js'),
  ssh: () => import('./ssh/probe.js'),
  syslog: () => import('./syslog/probe.js'),
  tacacs: () => import('./tacacs/probe.js'),
  tcp: () => import('./tcp/probe.js'),
  tls: () => import('./tls/probe.js'),
  udp: () => import('./udp/probe.js'),
};
