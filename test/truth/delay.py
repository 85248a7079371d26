#!/usr/bin/env python3
"""Holds every packet that is routed to the TUN device `delay` for this many seconds and puts it back on its way, with the
TTL that the detour cost: delay.py SECONDS. It says "ready" when the device is there."""
import collections
import fcntl
import os
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000

seconds = float(sys.argv[1])
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"delay", IFF_TUN | IFF_NO_PI))
print("ready", flush=True)


def lifted(packet):
    """The packet with one hop more to live."""
    packet = bytearray(packet)
    if packet[0] >> 4 == 6:
        packet[7] += 1
        return packet
    packet[8] += 1
    size = (packet[0] & 15) * 4
    packet[10:12] = b"\0\0"
    total = sum(struct.unpack("!%dH" % (size // 2), packet[:size]))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    packet[10:12] = struct.pack("!H", ~total & 0xFFFF)
    return packet


held = collections.deque()
while True:
    wait = max(0.0, held[0][0] - time.monotonic()) if held else None
    if select.select([tun], [], [], wait)[0]:
        held.append((time.monotonic() + seconds, lifted(os.read(tun, 65535))))
    while held and held[0][0] <= time.monotonic():
        os.write(tun, held.popleft()[1])
