"""What becomes of your fleet by your plan."""

import json
from pathlib import Path

from plan import waves

fleet = json.loads(Path("fleet.json").read_text())
guests, began = {each["name"]: each for each in fleet["guests"]}, 0.0
for wave in waves(**fleet):
    share = min(fleet["cap"], fleet["link"] / len(wave))
    ends = []
    for name in wave:
        left = share - guests[name]["write"]
        ends.append(began + guests[name]["ram"] / left if left > 0 else float("inf"))
        print(f"{name} is over after {ends[-1]:.0f} s" + ("" if ends[-1] <= fleet["deadline"] else ": too late"))
    began = max(ends)
