"""What becomes of your fleet by your plan, as each migration is foreseen."""

import json
from pathlib import Path

from plan import waves

from testbed.model.waves import FleetGuest, ends

fleet = json.loads(Path("fleet.json").read_text())
guests = {
    each["name"]: FleetGuest(name=each["name"], ram_bytes=each["ram"] * 10**6, write_rate=each["write"] * 1e6)
    for each in fleet["guests"]
}
planned = [[guests[name] for name in wave] for wave in waves(**fleet)]
for name, over in ends(planned, link=fleet["link"] * 1e6, cap=fleet["cap"] * 1e6).items():
    print(f"{name} is over after {over:.0f} s" + ("" if over <= fleet["deadline"] else ": too late"))
