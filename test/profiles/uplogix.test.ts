// The Uplogix Local Manager profile against its page, version 5.5.4: every sentence that asks something of the network.
import { describeRows, ownProfile } from './rows.js';

const vpn =
  'VPN (outband only) | If a third-party VPN server is used in outband mode to additionally encrypt and tunnel traffic, GRE, Ikev1 and Ikev2 IPSEC tunnels are supported.';

const heartbeat = 'heartbeat: local-manager > control-center tcp 8443 configurable every 30s';
const pulse = 'pulse: local-manager > pulse-server tcp 7 in-band every 30s';
const reverseSsh = 'reverse-ssh: local-manager > control-center tcp 2222 configurable if reverse-ssh';
const reverseSshLogin = 'reverse-ssh-login: client > control-center tcp 2244 configurable if reverse-ssh';
const syslog = 'syslog: local-manager > syslog-server udp 514 configurable if syslog';
const gre = [
  'vpn-gre-control: local-manager > vpn-server tcp 1723 out-of-band if vpn-gre erratum',
  'vpn-gre-tunnel: local-manager > vpn-server ip-47 out-of-band if vpn-gre erratum',
];
const ciscoUdp = 'vpn-ikev1-cisco-udp: local-manager > vpn-server udp 10000 configurable out-of-band if vpn-ikev1';
const ikev1 = [
  'vpn-ikev1: local-manager > vpn-server udp 500 out-of-band if vpn-ikev1 erratum',
  'vpn-ikev1-nat-t: local-manager > vpn-server udp 4500 out-of-band if vpn-ikev1 optional erratum',
  'vpn-ikev1-esp: local-manager > vpn-server ip-50 out-of-band if vpn-ikev1',
  ciscoUdp,
];
const ikev2 = [
  'vpn-ikev2: local-manager > vpn-server udp 500 out-of-band if vpn-ikev2 erratum',
  'vpn-ikev2-nat-t: local-manager > vpn-server udp 4500 out-of-band if vpn-ikev2 optional erratum',
  'vpn-ikev2-esp: local-manager > vpn-server ip-50 out-of-band if vpn-ikev2 optional erratum',
];
const virtualPorts = [
  'virtual-port-ssh: local-manager > virtual-port-ssh-device tcp 22 configurable if virtual-port-ssh',
  'virtual-port-telnet: local-manager > virtual-port-telnet-device tcp 23 configurable if virtual-port-telnet',
];

describeRows(ownProfile('uplogix-local-manager'), [
  {
    words:
      'Archiving and exporting | If the Local Manager is managed by a Control Center, the Local Manager periodically archives SLV statistics, user session log files, device files, and other data automatically to the Control Center using HTTPS over port 8443. Archiving uses high data compression to reduce the impact to the network. When operating out-of-band, archiving is suspended by default until the Local Manager returns to in-band communication. This functionality can be enabled to work when the Local Manager is communicating over its out-of-band connection.',
    flows: [
      'archiving: local-manager > control-center tcp 8443 in-band',
      'archiving-out-of-band: local-manager > control-center tcp 8443 out-of-band if archiving-out-of-band',
    ],
  },
  {
    words:
      "Archiving and exporting | A Local Manager's configuration can be retrieved using the config export command to create an XML file of its config and send it to the IP address of your choice using SCP or FTP.",
    flows: [
      'config-export-scp: local-manager > export-server tcp 22 if config-export one of config-export erratum',
      'config-export-ftp: local-manager > export-server tcp 21 if config-export one of config-export erratum',
    ],
  },
  {
    words:
      'Archiving and exporting | Use the config system export command to archive collected device statistics to an external server using FTP or SCP.',
    flows: [
      'statistics-export-scp: local-manager > export-server tcp 22 if statistics-export one of statistics-export erratum',
      'statistics-export-ftp: local-manager > export-server tcp 21 if statistics-export one of statistics-export erratum',
    ],
  },
  {
    words:
      'Pulse | The Pulse client uses the ECHO protocol (TCP port 7) to determine network availability. TCP ECHO packets are sent every 30 seconds from the management Ethernet port to one or more pulse servers (usually in the Network Operation Center or on the other side of the WAN). The in-band/production network is deemed down after four consecutive ECHO failures from all defined pulse servers, after which the Local Manager can automatically initiate an out-of-band connection over the modem or secondary Ethernet port to reestablish connectivity to the remote site.',
    flows: [pulse],
  },
  {
    words:
      'Pulse | While out-of-band, the Local Manager routes all traffic over the out-of-band connection except for ECHOs destined for the pulse server and for local traffic as defined by the user with the config system route command. The Local Manager will automatically tear down the out-of-band connection and communicate over the in-band/management Ethernet connection when it sees that the in-band network is operational again (determined by five consecutive successful echo requests).',
    flows: [pulse],
  },
  {
    words:
      'Heartbeat | The Local Manager communicates with the Control Center using a proprietary TLS-encrypted protocol that uses TCP port 8443 to provide regular updates that include current device status information, status of scheduled jobs, alarms, events and configuration changes on the Local Manager. The message that is sent by the Local Manger to the Control Center and that is acknowledged by the Control Center is called the heartbeat. The heartbeat contains compressed data to reduce the load on the network and has a 30 second interval by default.',
    flows: [heartbeat],
  },
  {
    words:
      'Heartbeat | You can change the heartbeat interval and TCP port from the command line using the config system management command.',
    flows: [heartbeat],
  },
  {
    words:
      'Network Time Protocol | If this feature is enabled, the Local Manager will synchronize time with a Network Time Protocol (NTP) server using UDP port 123. If the Local Manager is used with the Control Center, it will sync its time over the heartbeat with the Control Center by default. The Local Manager can be configured to sync its time with an NTP server instead of the Control Center using the config system ntp command.',
    flows: ['ntp: local-manager > ntp-server udp 123 if ntp'],
  },
  {
    words:
      'Reverse SSH | If Reverse SSH is enabled, the Control Center will listen for connections from the Local Manager on TCP port 2222*. The Local Manager will maintain a persistent connection that is used to tunnel SSH from a user workstation to an LM.',
    flows: [reverseSsh],
  },
  {
    words:
      'Reverse SSH | Additionally, TCP port 2244* is used by end users to connect their workstation through the Control Center to the Local Manager over the Reverse SSH tunnel.',
    flows: [reverseSshLogin],
  },
  {
    words:
      'TACACS/RADIUS Authorization | If a third-party AAA server is used, for RADIUS servers the default port is UDP 1645 or 1812; for TACACS, the default port is TCP 49.',
    flows: [
      'radius-1812: local-manager > radius-server udp 1812 configurable if radius one of radius',
      'radius-1645: local-manager > radius-server udp 1645 configurable if radius one of radius erratum',
      'tacacs: local-manager > tacacs-server tcp 49 configurable if tacacs erratum',
    ],
  },
  {
    words:
      'Syslog | If a third-party syslog server is used, the default port is UDP port 514*. Each device port can point to a different IP, UDP port or facility.',
    flows: [syslog],
  },
  { words: vpn, flows: [...gre, ...ikev1, ...ikev2] },
  { words: 'VPN (outband only) | GRE - TCP 1723 and Protocol 47.', flows: gre },
  {
    words: 'VPN (outband only) | IkeV1 IPSEC - Cisco UDP - UDP port 10,000*, ESP (Protocol 50), NATT - UDP port 500.',
    flows: ikev1,
  },
  { words: 'VPN (outband only) | IkeV2 IPSEC - UDP port 500.', flows: ikev2 },
  {
    words:
      'Virtual Port | If a virtual port is configured, both SSH and Telnet are supported on TCP port 22-23*. Each device port can point to a different IP/TCP port.',
    flows: virtualPorts,
  },
  {
    words: '*Can be customized for your installation.',
    flows: [reverseSsh, reverseSshLogin, syslog, ciscoUdp, ...virtualPorts],
  },
]);
