"""What becomes of your fleet by your plan, as each migration is foreseen."""

import json
import sys
from pathlib import Path

from plan import waves

from testbed.model.waves import NEVER, FleetGuest, ends, planned

fleet = json.loads(Path("fleet.json").read_text())
guests = {
    each["name"]: FleetGuest(name=each["name"], ram_bytes=each["ram"] * 10**6, write_rate=each["write"] * 1e6)
    for each in fleet["guests"]
}
mine = waves(**fleet)
try:
    named = planned(mine, guests)
except ValueError as wrong:
    sys.exit(f"plan.py: {'. '.join(wrong.args)}")
over = ends(named, link=fleet["link"] * 1e6, cap=fleet["cap"] * 1e6)
for name in guests:
    if name not in over:
        print(f"{name} stays behind: too late")
    elif over[name] == NEVER:
        print(f"{name} is never over: too late")
    else:
        print(f"{name} is over after {over[name]:.0f} s" + ("" if over[name] <= fleet["deadline"] else ": too late"))
