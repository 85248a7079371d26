// The KVM.net profile against IPA36-2: the rows of its table, their cells as they stand there, and the paragraph below it.
import { describeRows, ownProfile } from './rows.js';

describeRows(ownProfile('kvmnet-access-management'), [
  {
    words:
      'UDP 3080 | Bidirectional between Centralized Access Management and devices | Used for device discovery in broadcast (Auto Discovery) or unicast (Manual Manager IP) modes every time the device or Manager boots.',
    flows: [
      'discovery-unicast: manager <> device udp 3080 from port 3080 one of discovery',
      'discovery-broadcast: manager <> device udp 3080 broadcast from port 3080 if auto-discovery',
    ],
  },
  {
    words:
      "UDP 3081 | Unidirectional from Manager to devices | Used for device discovery if port 3080 doesn't work. Device answers on port 3080 only.",
    flows: ['discovery-fallback: manager > device udp 3081 from port 3080 answered from 3080 one of discovery'],
  },
  {
    words:
      'TCP 443 | Bidirectional between Centralized Access Management System and devices | Used for status updates, device configurations, upgrades and other communication.',
    flows: ['device-communication: manager <> device tcp 443'],
  },
  {
    words:
      'TCP 443 | Unidirectional from Client to Manager | Used for Centralized Access Management web interface login and operation.',
    flows: ['web-interface: client > manager tcp 443'],
  },
  {
    words:
      'TCP 443 | Unidirectional from Administrator to device | Used for login to device config page for initial KVMIP device configuration',
    flows: ['device-config-page: administrator > device tcp 443'],
  },
  {
    words:
      'TCP 900-902 (configurable) | Unidirectional from Client to device | Used for Remote Client session (Video, keyboard, mouse control of the target)',
    flows: ['remote-session: client > device tcp 900-902 configurable'],
  },
  {
    words:
      'TCP 389 | Unidirectional from Manager to LDAP | Used for importing the users from LDAP server and for password authentication during the user login to Centralized Access Management Manager.',
    flows: ['ldap: manager > ldap-server tcp 389 if ldap'],
  },
  {
    words:
      'TCP 3306 | Bidirectional between Centralized Access Management Primary and Secondary units | Used for database synchronization and replication when Centralized Access Management system operated in Replication mode.',
    flows: ['replication: manager <> secondary-manager tcp 3306 if replication'],
  },
  {
    words:
      'TCP 22 | Unidirectional from Administrator to Manager | Used by Administrator for system troubleshooting and debugging (PuTTY - SSH, WinSCP - SFTP)',
    flows: ['manager-ssh: administrator > manager tcp 22'],
  },
  {
    words:
      'COMMENTS: Protocols that may be used are DHCP (UDP 67, 68) for obtaining dynamic network address from DHCP server for devices, DNS (TCP 53) for name resolving to Centralized Access Management Manager, ping (ICMP) and other network protocols.',
    flows: [
      'dhcp: device > dhcp-server udp 67 from port 68 if dhcp',
      'dns-tcp: manager > dns-server tcp 53 if dns',
      'dns-udp: manager > dns-server udp 53 if dns optional erratum',
      'ping: manager > device icmp if ping optional',
    ],
  },
]);
