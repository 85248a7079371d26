#!/usr/bin/env python3
"""The end of a GRE tunnel, in user space and of another make than linecheck: it takes the outer header off and sends what
was inside on its way. gre.py ADDRESS [KEY]; it says "ready", then a line for each packet. RFC 2784, RFC 2890."""
import ipaddress
import socket
import struct
import sys

address = ipaddress.ip_address(sys.argv[1])
key = int(sys.argv[2]) if len(sys.argv) > 2 else None
v6 = address.version == 6
family = socket.AF_INET6 if v6 else socket.AF_INET
incoming = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_GRE)
incoming.bind((str(address), 0))
# IPPROTO_RAW: the packets that go out bring their own IP header.
outgoing = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
print("ready", flush=True)


def decapsulated(packet):
    """The inner packet, or why there is none."""
    if len(packet) < 4:
        return None, "short"
    flags, ethertype = struct.unpack_from("!HH", packet)
    at = 4
    if flags & 0x8000:
        at += 4
    found = None
    if flags & 0x2000:
        (found,) = struct.unpack_from("!I", packet, at)
        at += 4
    if flags & 0x1000:
        at += 4
    if flags & 0x4FFF:
        return None, "flags %04x" % flags
    if found != key:
        return None, "key %s" % found
    if ethertype != (0x86DD if v6 else 0x0800):
        return None, "type %04x" % ethertype
    return bytearray(packet[at:]), None


def checksum(header):
    total = sum(struct.unpack("!10H", header))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


while True:
    packet, sender = incoming.recvfrom(65535)
    if not v6:
        packet = packet[(packet[0] & 15) * 4 :]
    inner, why = decapsulated(packet)
    if inner is None:
        print("dropped from %s: %s" % (sender[0], why), flush=True)
        continue
    if v6:
        inner[7] -= 1
        to = socket.inet_ntop(family, bytes(inner[24:40]))
    else:
        if checksum(bytes(inner[:20])) != 0:
            print("dropped from %s: inner checksum" % sender[0], flush=True)
            continue
        inner[8] -= 1
        inner[10:12] = b"\0\0"
        inner[10:12] = struct.pack("!H", checksum(bytes(inner[:20])))
        to = socket.inet_ntop(family, bytes(inner[16:20]))
    outgoing.sendto(bytes(inner), (to, 0))
    print("forwarded from %s to %s: %s" % (sender[0], to, inner.hex()), flush=True)
