"""Asks the guest's own program, by UDP echo, whether it is there: python3 ask.py SECONDS TIMES"""

import socket
import sys
import time

GUEST, ECHO = "10.0.2.100", 7

period, times = float(sys.argv[1]), int(sys.argv[2])
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.connect((GUEST, ECHO))
asker.setblocking(False)
answered = set()


def listen(seconds):
    """Takes the answers that come, for so long."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            answered.add(int(asker.recv(100)))
        except OSError:
            time.sleep(min(left, 0.001))


for number in range(times):
    asker.send(str(number).encode())
    listen(period)
listen(1)
last = max(answered, default=-1)  # what comes after it was asked when the migration was over, and the guest too
lost = [number for number in range(last) if number not in answered]
print(f"asked {last + 1} times, every {period:g} s; no answer {len(lost)} times: {lost or 'it was always there'}")
