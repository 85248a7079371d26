# Sends one packet to every port of some addresses, over TCP and UDP, one of every IP protocol and one of every ICMP type:
# what a scan would send, for a test that sees what arrives. Needs CAP_NET_RAW.
# Standard input, JSON: {"pairs": [[source, target]...], "ports": [[first, last]...], "sourcePorts": {"tcp": [...], "udp": [...]}}
import json
import socket
import struct
import sys

wanted = json.load(sys.stdin)
ports = [port for first, last in wanted["ports"] for port in range(first, last + 1)]

# Not protocols but headers of IPv6 itself, in front of one (RFC 8200 section 4, RFC 6275), and those sent otherwise.
NOT_ALONE = {6, 17, 1, 58, 0, 43, 44, 51, 60, 135, 139, 140, 255}


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def raw(family, protocol, source):
    sock = socket.socket(family, socket.SOCK_RAW, protocol)
    sock.bind((source, 0))
    return sock


def send(sock, data, target):
    try:
        sock.sendto(data, (target, 0))
    except OSError as error:
        # An ICMP error for an earlier packet: that one was sent.
        if error.errno not in (111, 113, 92, 101, 13):
            raise
        sock.sendto(data, (target, 0))


for source, target in wanted["pairs"]:
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    ends = socket.inet_pton(family, source) + socket.inet_pton(family, target)

    tcp = raw(family, socket.IPPROTO_TCP, source)
    for port in wanted["sourcePorts"]["tcp"]:
        # RFC 9293 section 3.1: a SYN without options. The checksum covers addresses, protocol and length too.
        rest = checksum(ends + struct.pack("!IIHIIHHHH", socket.IPPROTO_TCP, 20, port, 7, 0, 0x5002, 1024, 0, 0))
        for to in ports:
            total = (~rest & 0xFFFF) + to
            total = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
            send(tcp, struct.pack("!HHIIHHHH", port, to, 7, 0, 0x5002, 1024, total, 0), target)
    tcp.close()

    for port in wanted["sourcePorts"]["udp"]:
        udp = socket.socket(family, socket.SOCK_DGRAM)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        udp.bind((source, port))
        for to in ports:
            udp.sendto(b"x", (target, to))
        udp.close()

    for protocol in range(256):
        if protocol not in NOT_ALONE:
            sock = raw(family, protocol, source)
            send(sock, b"\0" * 16, target)
            sock.close()

    icmp = raw(family, socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6, source)
    for kind in range(256):
        body = struct.pack("!BBHHH", kind, 0, 0, 1, 1)
        if family == socket.AF_INET:
            body = struct.pack("!BBHHH", kind, 0, checksum(body), 1, 1)
        send(icmp, body, target)
    icmp.close()
print("swept")
