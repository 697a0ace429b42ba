"""Lab 0: set-up, and what a record is."""

from testbed.labs.check import Wrong, check, near, own


@check(2, "how long a guest stands still was foreseen", after=own)
def stops(lab, run):
    said, there = lab.answers["stops"], run.downtime_s
    if said == "never":
        hint = "'Live' is not 'without a stop': look for the longest silence of the guest, at the last round."
        raise Wrong(f"it stood still for {there * 1e3:.1f} ms", hint)
    if said == "seconds":
        hint = "The whole migration takes seconds; the guest runs through nearly all of it."
        raise Wrong(f"it stood still for {there * 1e3:.1f} ms", hint)


@check(3, "the round that carried all of the RAM was found", after=own)
def all_ram(lab, run):
    right = next(each.index for each in run.rounds if each.sent_bytes >= run.done.vm.ram_bytes)
    if lab.answers["all_ram_round"] != right:
        raise Wrong("another round carried it", "Look which round sent as many MB as the guest has RAM.")


@check(3, "the downtime was read from the record", after=own)
def downtime(lab, run):
    total = run.total_time_s * 1e3
    hints = {
        total: "That is the time of the whole migration; downtime is the part in which the guest stood still.",
        run.downtime_s: "The record is in seconds, the question asks for milliseconds.",
    }
    near(lab.answers["downtime_ms"], run.downtime_s * 1e3, 0.02, hints=hints, unit="ms", told=False)


@check(1, "the kernel was found in the record", after=own)
def kernel(lab, run):
    if lab.answers["kernel"].strip() != str(run.summary.environment.get("kernel")):
        raise Wrong("the record names another one: environment.kernel in summary.json")


@check(1, "the guest's own silence was found", after=own, native=True)
def silence(lab, run):
    near(lab.answers["silence_ms"], run.done.guest_gap_s * 1e3, 0.02, unit="ms", told=False)
