"""Pictures of what happens: who learns that a guest moved, who says what last, how a page is lost."""

import re
from pathlib import Path

from docs.site.pictures.canvas import BLUE, FAINT, GREEN, GREY, INK, ORANGE, PALE, RED, Canvas
from testbed.dirty.interleavings import explore
from testbed.dirty.own_file import OWN_TRACKER

PICTURES = Path(__file__).resolve().parents[3] / "docs/slides/pictures"


def learns() -> Canvas:
    """Three tables before and after: one entry in one of them is another."""
    canvas = Canvas("A guest moves from host 1 to host 2: of all that is known about it, the switch's port changes")
    canvas.box(20, 20, 520, 130)
    canvas.text(280, 62, "**500 clients", size=30, at="middle")
    canvas.text(280, 98, "ARP: 10.0.2.100 is at ..:02:64", at="middle", size=27)
    canvas.text(280, 134, "**the same afterwards", at="middle", size=27, fill=GREEN)
    canvas.box(660, 20, 520, 130)
    canvas.text(920, 62, "**names and routes", size=30, at="middle")
    canvas.text(920, 98, "db.example is 10.0.2.100", at="middle", size=27)
    canvas.text(920, 134, "**the same afterwards", at="middle", size=27, fill=GREEN)
    canvas.box(300, 210, 600, 130, fill="#fff3d6", line=ORANGE)
    canvas.text(600, 252, "**the switch", size=30, at="middle")
    canvas.text(600, 288, "..:02:64 is behind the port of", at="middle", size=27)
    canvas.text(600, 326, "**host 1  →  host 2", at="middle", size=30, fill=RED)
    canvas.line([(280, 150), (400, 210)], fill=FAINT)
    canvas.line([(920, 150), (800, 210)], fill=FAINT)
    for x, host, fill in ((20, "host 1", GREY), (740, "host 2", BLUE)):
        canvas.box(x, 410, 440, 110)
        canvas.text(x + 24, 476, f"**{host}", size=30)
        canvas.box(x + 170, 426, 250, 78, fill=fill)
    canvas.text(315, 460, "the guest", at="middle", size=25)
    canvas.text(315, 490, "until now", at="middle", size=25)
    canvas.text(1035, 460, "same IP, same", at="middle", size=25, fill="#FFFFFF")
    canvas.text(1035, 490, "MAC, same TCP", at="middle", size=25, fill="#FFFFFF")
    canvas.line([(400, 340), (280, 410)], fill=FAINT, dashed=True)
    canvas.line([(800, 340), (920, 410)], fill=BLUE)
    canvas.arrow((470, 465), (730, 465), fill=BLUE)
    return canvas


def frames() -> Canvas:
    """The frames around a switchover, out of what ``testbed packets`` said of a real one."""
    canvas = Canvas("Frames around a switchover: the last from host 1, silence, RARP, ARP, the first from host 2")
    lines = (PICTURES / "keep-talking.txt").read_text(encoding="utf-8").splitlines()
    wanted = ("last packet from the source", "Commit", "RARP", "(gratuitous)", "first from the destination")
    times = [next(float(line.split()[0]) for line in lines if each in line) for each in wanted]
    said = [
        ("the guest to a client, the last from host 1", GREY),
        ("host 1 to host 2: it is yours", FAINT),
        ("RARP to everybody: ..:02:64 is here now", RED),
        ("gratuitous ARP to everybody: 10.0.2.100 is at ..:02:64", ORANGE),
        ("the guest to a client, the first from host 2", BLUE),
    ]
    canvas.text(190, 40, "ms", at="end", fill=FAINT)
    rows = (96, 252, 334, 416, 498)
    canvas.line([(230, rows[0]), (230, rows[-1])], fill=GREY)
    for y, at, (words, fill) in zip(rows, times, said, strict=True):
        canvas.text(190, y + 11, f"**{(at - times[0]) * 1000:.2f}", at="end", size=32)
        canvas.box(212, y - 18, 36, 36, fill=fill)
        canvas.text(280, y + 11, words, size=32)
    canvas.text(280, 184, "nobody hears the guest, and it hears nobody", size=30, fill=FAINT)
    return canvas


PHASES = ("hello", "round-1", "last-round", "prepare", "commit", "running")
FAULTS = ("cut", "kill-source", "kill-destination")


def plugs() -> Canvas:
    """The table that the room fills in, from what it has understood."""
    canvas = Canvas("Phases of a migration by faults: a table to fill in, with the message that gives the guest away")
    wide, left, tall = 290, 310, 66
    for column, fault in enumerate(FAULTS):
        canvas.text(left + column * wide + wide / 2, 44, f"**{fault}", at="middle", size=30)
    for row, phase in enumerate(PHASES):
        y = 62 + row * tall
        canvas.text(290, y + 42, f"**{phase}", at="end", size=30, fill=RED if phase in ("commit", "running") else INK)
        for column in range(3):
            late = phase in ("commit", "running")
            x = left + column * wide
            canvas.box(x + 4, y, wide - 8, tall - 8, fill="#fff3d6" if late else PALE)
            canvas.text(x + wide / 2, y + 42, "?", at="middle", size=34, fill=FAINT)
    canvas.text(left, 500, "source   ·   destination   ·   both   ·   nowhere", size=32)
    canvas.text(290, 500, "the guest runs at", at="end", fill=FAINT, size=26)
    return canvas


def generals() -> Canvas:
    """Two nights that are one to who waits at the source: the word was lost, or its answer was."""
    canvas = Canvas("Two nights: the word is lost, or the answer is. The source hears the same in both: nothing")
    nights = [("**Night 1: the word is lost", 20), ("**Night 2: the answer is lost", 630)]
    for number, (title, x) in enumerate(nights):
        canvas.text(x + 275, 40, title, at="middle", size=32)
        for place, host in ((90, "source"), (460, "destination")):
            canvas.text(x + place, 92, host, at="middle", size=30)
            canvas.line([(x + place, 108), (x + place, 380)], fill=GREY)
        canvas.text(x + 275, 150, "it is yours", at="middle", size=30)
        if number == 0:
            canvas.arrow((x + 90, 180), (x + 250, 196))
            canvas.cross(x + 285, 200)
            canvas.text(x + 446, 330, "never ran here", at="end", size=28, fill=FAINT)
        else:
            canvas.arrow((x + 90, 180), (x + 460, 214))
            canvas.text(x + 275, 270, "it runs", at="middle", size=30)
            canvas.arrow((x + 460, 290), (x + 310, 306))
            canvas.cross(x + 270, 310)
        canvas.box(x, 400, 200, 64, fill="#fff3d6")
        canvas.text(x + 100, 442, "**silence", at="middle", size=30, fill=RED)
        canvas.box(x + 230, 400, 320, 64, fill=PALE)
        runs = "runs at the source" if number == 0 else "runs at the destination"
        canvas.text(x + 390, 442, runs, at="middle", size=28)
    canvas.text(600, 518, "**At the source both nights are the same night.", at="middle", size=34)
    canvas.line([(600, 20), (600, 470)], fill=GREY, dashed=True)
    return canvas


def lost() -> Canvas:
    """The shortest order in which a tracker that compares contents loses a page, step by step."""
    canvas = Canvas("The shortest order in which a tracker that compares contents loses a page")
    wrong = explore(OWN_TRACKER.load(str(PICTURES / "compares.py"))).wrong
    if wrong is None:
        raise ValueError("compares.py loses nothing: there is no story to draw")
    lanes = {"guest": (860, RED), "tracker": (90, BLUE), "round": (490, INK)}
    for words, lane in (("your tracker", "tracker"), ("the wire", "round"), ("guest", "guest")):
        canvas.text(lanes[lane][0], 36, f"**{words}", size=30, fill=lanes[lane][1])
    for number, step in enumerate(wrong.steps, 1):
        y = 78 + (number - 1) * 38
        told = re.sub(r"^(your tracker|the guest|round 1) ", "", step)
        x, fill = next((at for name, at in lanes.items() if name in step), lanes["tracker"])
        canvas.text(60, y, f"{number}", at="end", fill=FAINT, size=26)
        canvas.text(x, y, f"**{told}" if "writes" in step else told, size=28, fill=fill)
    page, _, rest = wrong.end.partition(" is as it was")
    canvas.box(20, 490, 1160, 46, fill="#fde3d6")
    canvas.text(600, 522, f"**{page}: as it was{rest}", at="middle", size=28, fill=RED)
    return canvas
