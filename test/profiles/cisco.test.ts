// The Cisco Secure Firewall profile against "Communication Port Requirements": every row of its four tables.
import { describeRows, ownProfile } from './rows.js';

const appliances = 'appliance-communications: management-center <> managed-device tcp 8305 configurable';
const APPLIANCES =
  'Configurable. If you change this port, you must change it for all appliances in the deployment. We recommend you keep the default.';

describeRows(ownProfile('cisco-secure-firewall'), [
  {
    words:
      'The management center communicates with managed devices using a two-way, SSL-encrypted communication channel on port 8305/tcp. This port must remain open for basic communication.',
    flows: [appliances],
  },

  {
    words: 'Inbound Ports for Management Center | 443/tcp | HTTPS | Access the web interface.',
    flows: ['web-interface: administrator > management-center tcp 443'],
  },
  {
    words: 'Inbound Ports for Management Center | 443/tcp | HTTPS | Submit queries to Cisco Security Packet Analyzer.',
    flows: [
      'packet-analyzer: security-packet-analyzer > management-center tcp 443 if packet-analyzer erratum',
      'packet-analyzer-queries: management-center > security-packet-analyzer tcp 443 if packet-analyzer optional erratum',
    ],
  },
  {
    words:
      'Inbound Ports for Management Center | 443/tcp | HTTPS | Communicate with integrated and third-party products using the REST API.',
    flows: ['management-center-rest-api: api-client > management-center tcp 443 if rest-api'],
  },
  {
    words:
      'Inbound Ports for Management Center | 443/tcp | HTTPS | Integrate with Secure Endpoint. Outbound also required.',
    flows: ['secure-endpoint-inbound: secure-endpoint-cloud > management-center tcp 443 if secure-endpoint'],
  },
  {
    words: `Inbound Ports for Management Center | 8305/tcp | Appliance communications | Securely communicate between appliances in a deployment. Outbound also required. ${APPLIANCES}`,
    flows: [appliances],
  },
  {
    words:
      'Inbound Ports for Management Center | 8989/tcp | Cisco Support Diagnostics | Accepts authorized requests and transmits usage information and statistics. Outbound also required.',
    flows: ['support-diagnostics: cisco-support <> management-center tcp 8989 if support-diagnostics erratum'],
  },

  {
    words:
      'Outbound Ports for Management Center | 7/udp 514/udp 6514/tcp | Syslog (audit logging) | Verify connectivity with the syslog server when configuring audit logging (7/udp). Send audit logs to a remote syslog server, when TLS is not configured (514/udp). Send audit logs to a remote syslog server, when TLS is configured (6514/tcp).',
    flows: [
      'syslog-server-test: management-center > syslog-server udp 7 if audit-logging erratum',
      'management-center-syslog: management-center > syslog-server udp 514 if audit-logging unless syslog-tls',
      'management-center-syslog-tls: management-center > syslog-server tcp 6514 if syslog-tls',
    ],
  },
  {
    words: 'Outbound Ports for Management Center | 25/tcp | SMTP | Send email notices and alerts.',
    flows: ['smtp: management-center > smtp-server tcp 25 if email'],
  },
  {
    words: 'Outbound Ports for Management Center | 53/tcp 53/udp | DNS | DNS',
    flows: [
      'management-center-dns-udp: management-center > dns-server udp 53',
      'management-center-dns-tcp: management-center > dns-server tcp 53',
    ],
  },
  {
    words: 'Outbound Ports for Management Center | 67/udp 68/udp | DHCP | DHCP',
    flows: ['management-center-dhcp: management-center > dhcp-server udp 67 from port 68 if dhcp erratum'],
  },
  {
    words:
      'Outbound Ports for Management Center | 80/tcp | HTTP | Download custom Security Intelligence feeds over HTTP.',
    flows: ['security-intelligence-feeds: management-center > feed-server tcp 80 if security-intelligence-feeds'],
  },
  {
    words:
      'Outbound Ports for Management Center | 80/tcp | HTTP | Download or query URL category and reputation data. Outbound 443/tcp also required.',
    flows: [
      'url-filtering-http: management-center > url-reputation-service tcp 80 if url-filtering',
      'url-filtering-https: management-center > url-reputation-service tcp 443 if url-filtering',
    ],
  },
  {
    words: 'Outbound Ports for Management Center | 123/udp | NTP | Synchronize time.',
    flows: ['management-center-ntp: management-center > ntp-server udp 123'],
  },
  {
    words: 'Outbound Ports for Management Center | 162/udp | SNMP | Send SNMP alerts to a remote trap server.',
    flows: ['management-center-snmp-trap: management-center > snmp-trap-receiver udp 162 if snmp-alerts'],
  },
  {
    words:
      'Outbound Ports for Management Center | 389/tcp 636/tcp | LDAP | Communicate with an LDAP server for external authentication. Obtain metadata for detected LDAP users. Configurable.',
    flows: [
      'management-center-ldap: management-center > ldap-server tcp 389 configurable if ldap unless ldaps-only one of ldap erratum',
      'management-center-ldaps: management-center > ldap-server tcp 636 configurable if ldap one of ldap erratum',
    ],
  },
  {
    words:
      'Outbound Ports for Management Center | 443/tcp | HTTPS | Communicate with the Secure Malware Analytics Cloud (public or private).',
    flows: ['malware-analytics: management-center > malware-analytics-cloud tcp 443 if malware-analytics'],
  },
  {
    words: 'Outbound Ports for Management Center | 443/tcp | HTTPS | Send and receive data from the internet.',
    flows: ['management-center-internet: management-center > internet-service tcp 443'],
  },
  {
    words:
      'Outbound Ports for Management Center | 443/tcp | HTTPS | Integrate with AMP for Endpoints. Inbound also required.',
    flows: ['secure-endpoint-outbound: management-center > secure-endpoint-cloud tcp 443 if secure-endpoint erratum'],
  },
  {
    words:
      'Outbound Ports for Management Center | 1812/udp 1813/udp | RADIUS | Communicate with a RADIUS server for external authentication and accounting. Configurable.',
    flows: [
      'management-center-radius: management-center > radius-server udp 1812 configurable if radius',
      'management-center-radius-accounting: management-center > radius-server udp 1813 configurable if radius',
    ],
  },
  {
    words: 'Outbound Ports for Management Center | 5222/tcp | ISE | Communicate with an ISE identity source.',
    flows: ['ise: management-center > ise-server tcp 5222 if ise erratum'],
  },
  {
    words: `Outbound Ports for Management Center | 8305/tcp | Appliance communications | Securely communicate between appliances in a deployment. Inbound also required. ${APPLIANCES}`,
    flows: [appliances],
  },

  {
    words: 'Inbound Ports for Managed Devices | 22/tcp | SSH | Secure remote connections to the appliance.',
    flows: ['managed-device-ssh: administrator > managed-device tcp 22'],
  },
  {
    words: 'Inbound Ports for Managed Devices | 161/udp | SNMP | Allow access to MIBs via SNMP polling.',
    flows: ['snmp-polling: snmp-manager > managed-device udp 161 if snmp-polling'],
  },
  {
    words:
      'Inbound Ports for Managed Devices | 443/tcp | HTTPS | Communicate with integrated and third-party products using the REST API.',
    flows: ['managed-device-rest-api: api-client > managed-device tcp 443 if rest-api'],
  },
  {
    words:
      'Inbound Ports for Managed Devices | 443/tcp | Remote access VPN (SSL/IPSec) | Allow secure VPN connections to your network from remote users.',
    flows: ['remote-access-vpn: vpn-client > managed-device tcp 443 if remote-access-vpn'],
  },
  {
    words:
      'Inbound Ports for Managed Devices | 500/udp 4500/udp | Remote access VPN (IKEv2) | Allow secure VPN connections to your network from remote users.',
    flows: [
      'remote-access-vpn-ikev2: vpn-client > managed-device udp 500 if remote-access-vpn-ikev2 erratum',
      'remote-access-vpn-nat-t: vpn-client > managed-device udp 4500 if remote-access-vpn-ikev2 erratum',
    ],
  },
  {
    words:
      'Inbound Ports for Managed Devices | 885/tcp | Captive portal | Communicate with a captive portal identity source.',
    flows: ['captive-portal: captive-portal-client > managed-device tcp 885 if captive-portal erratum'],
  },
  {
    words: `Inbound Ports for Managed Devices | 8305/tcp | Appliance communications | Securely communicate between appliances in a deployment. Outbound also required. ${APPLIANCES}`,
    flows: [appliances],
  },

  {
    words: 'Outbound Ports for Managed Devices | 53/tcp 53/udp | DNS | DNS',
    flows: [
      'managed-device-dns-udp: managed-device > dns-server udp 53',
      'managed-device-dns-tcp: managed-device > dns-server tcp 53',
    ],
  },
  {
    words: 'Outbound Ports for Managed Devices | 67/udp 68/udp | DHCP | DHCP',
    flows: ['managed-device-dhcp: managed-device > dhcp-server udp 67 from port 68 if dhcp erratum'],
  },
  {
    words: 'Outbound Ports for Managed Devices | 123/udp | NTP | Synchronize time.',
    flows: ['managed-device-ntp: managed-device > ntp-server udp 123'],
  },
  {
    words: 'Outbound Ports for Managed Devices | 162/udp | SNMP | Send SNMP alerts to a remote trap server.',
    flows: ['managed-device-snmp-trap: managed-device > snmp-trap-receiver udp 162 if snmp-alerts'],
  },
  {
    words:
      'Outbound Ports for Managed Devices | 1812/udp 1813/udp | RADIUS | Communicate with a RADIUS server for external authentication and accounting. Configurable.',
    flows: [
      'managed-device-radius: managed-device > radius-server udp 1812 configurable if radius',
      'managed-device-radius-accounting: managed-device > radius-server udp 1813 configurable if radius',
    ],
  },
  {
    words:
      'Outbound Ports for Managed Devices | 389/tcp 636/tcp | LDAP | Communicate with an LDAP server for external authentication. Configurable.',
    flows: [
      'managed-device-ldap: managed-device > ldap-server tcp 389 configurable if ldap unless ldaps-only one of ldap erratum',
      'managed-device-ldaps: managed-device > ldap-server tcp 636 configurable if ldap one of ldap erratum',
    ],
  },
  {
    words: 'Outbound Ports for Managed Devices | 443/tcp | HTTPS | Send and receive data from the internet.',
    flows: ['managed-device-internet: managed-device > internet-service tcp 443'],
  },
  {
    words:
      'Outbound Ports for Managed Devices | 514/udp | Syslog (audit logging) | Send audit logs to a remote syslog server, when TLS is not configured.',
    flows: [
      'managed-device-syslog: managed-device > syslog-server udp 514 if audit-logging unless syslog-tls',
      'managed-device-syslog-tls: managed-device > syslog-server tcp 6514 if syslog-tls optional erratum',
    ],
  },
  {
    words: `Outbound Ports for Managed Devices | 8305/tcp | Appliance communications | Securely communicate between appliances in a deployment. Inbound also required. ${APPLIANCES}`,
    flows: [appliances],
  },
  {
    words:
      'Outbound Ports for Managed Devices | 8514/UDP | Secure Network Analytics Manager | Send syslog messages to Secure Network Analytics using Security Analytics and Logging (On Premises)',
    flows: [
      'security-analytics-and-logging: managed-device > secure-network-analytics-manager udp 8514 if security-analytics-and-logging',
    ],
  },
]);
