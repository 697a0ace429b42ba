from testbed.labs.check import check, near, own


@check(20, "round 2 was foreseen within 3 %", after=own)
def second(lab, run):
    hints = {256: "That is round 1."}
    near(lab.answers["second_round_mb"], run.rounds[1].sent_bytes / 1e6, 0.03, hints=hints, unit="MB")
