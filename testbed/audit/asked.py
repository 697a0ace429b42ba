"""What was asked, by ``scenario.yaml``, against what the record says it was: seed, guest, services, link, policy."""

from collections.abc import Iterator, Sequence

from testbed.audit.agreement import Agreement, not_known, settled
from testbed.audit.subject import Subject
from testbed.core.plan import Plan
from testbed.core.records.migration import MigrationRecord
from testbed.runfiles.agreement import alike, written


def of(subject: Subject) -> Iterator[Agreement]:
    """The agreement ``scenario``: what was asked for is what was recorded."""
    if subject.plan is None:
        yield not_known("scenario", subject.unplanned)
        return
    wrong = [*_seed(subject, subject.plan), *_unlike(_pairs(subject.plan, subject.done))]
    wrong += [*_unlike(_workload(subject, subject.plan)), *_services(subject, subject.plan)]
    if subject.own_policy is None:
        wrong += _policy(subject.plan, subject.done)
    yield settled("scenario", "seed, scale, guest, services, link and policy are those of scenario.yaml", wrong)


def _seed(subject: Subject, plan: Plan) -> Iterator[str]:
    if plan.seed not in subject.seeds:
        yield f"seed is {subject.seed}, by scenario.yaml it was {plan.seed} in this migration"


def _policy(plan: Plan, done: MigrationRecord) -> Iterator[str]:
    asked = plan.migration.policy["name"]
    if done.throttle is not None and done.throttle.policy != asked:
        yield f"the policy is {done.throttle.policy:.60}, scenario.yaml says {asked}"


def _pairs(plan: Plan, done: MigrationRecord) -> Iterator[tuple[str, object, object]]:
    yield "vm.ram_bytes", done.vm.ram_bytes, plan.guest.ram_bytes
    yield "link.mtu", done.link.mtu, plan.network.vmotion.mtu
    if plan.network.vmotion.rate is not None and done.link.rate is not None:
        yield "link.rate", done.link.rate, plan.network.vmotion.rate
    yield "scale.size", done.scale.get("size"), plan.scale.size
    yield "scale.time", done.scale.get("time"), plan.scale.time


def _workload(subject: Subject, plan: Plan) -> Iterator[tuple[str, object, object]]:
    """Of one's own the file's name alone: its parameters are known to it alone, and it is not run."""
    vm, workload = subject.done.vm, plan.guest.workload
    if subject.own_workload is None:
        yield "vm.workload", vm.workload, workload["name"]
        yield "vm.working_set_bytes", vm.working_set_bytes, workload.get("working_set")
        yield "vm.write_rate", vm.write_rate, workload.get("write_rate")
    elif vm.workload != "phases":
        yield "vm.workload", vm.workload, subject.own_workload


def _services(subject: Subject, plan: Plan) -> Iterator[str]:
    """Each was to be verified, once. A model knows nothing of them, nor has a guest without a network any; and one that
    did not come as far as that has none, and is not valid.
    """
    done = subject.done
    said, asked = [each.name for each in done.services], [str(each["name"]) for each in plan.guest.services]
    measured = done.identity is not None and not subject.simulated
    if (said or done.valid) and said != (asked if measured else []):
        yield f"its services are {_listed(said)}, scenario.yaml says {_listed(asked)}"


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names):.60}" if names else "none"


def _unlike(pairs: Iterator[tuple[str, object, object]]) -> Iterator[str]:
    for name, said, asked in pairs:
        if isinstance(said, int | float) and isinstance(asked, int | float):
            if not alike(float(said), float(asked)):
                yield f"{name} is {written(said)}, scenario.yaml says {written(asked)}"
        elif said != asked:
            yield f"{name} is {said}, scenario.yaml says {asked}"
