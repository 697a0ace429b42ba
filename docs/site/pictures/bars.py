"""Pictures of figures, each out of the model: what throttles cost, where a rate goes, a fleet's way out, prices."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from docs.site.pictures.canvas import BLUE, EMPTY, FAINT, GREEN, GREY, INK, ORANGE, RED, Canvas
from testbed.arena.board import Standing, contest
from testbed.arena.entrants import rivals
from testbed.arena.guests import OPEN_KEY, ArenaGuest, drawn
from testbed.arena.price import Weights
from testbed.core.plan import Plan
from testbed.model.link import available, link_goodput
from testbed.model.predict import Forecast, forecast
from testbed.report.side.spread import spread
from testbed.scenario import load

PICTURES = Path(__file__).resolve().parents[3] / "docs/slides/pictures"
FLEET = (
    *("vm.ram=16GB", "vm.workload.name=sequential", "vm.workload.working_set=12GB", "vm.workload.write_rate=160MB/s"),
    "network.vmotion.goodput=[10Gbit, 5Gbit, 2.5Gbit, 1.25Gbit]",
)
"""Of ``hello``: one guest with the whole link, with half of it, with a quarter, and with an eighth."""
GUESTS, FEW = 40, 8


def _foreseen(plan: Plan) -> Forecast:
    return forecast(plan, goodput=link_goodput(plan.network.vmotion))


def throttles() -> Canvas:
    """The share of its work that each of two guests lost, by each of three throttles, while it was held."""
    canvas = Canvas("Which share of its work two guests lose while each of three throttles holds them")
    plans = load(PICTURES / "throttles.yaml").plans()
    ways = [("SDPS", BLUE), ("dirty limit", GREEN), ("auto-converge", RED)]
    guests = ["**The rewriter: mostly the same few pages", "**The writer: all over 24 GiB"]
    for group, words in enumerate(guests):
        top = 44 + group * 262
        canvas.text(30, top, words, size=30)
        for row, ((way, fill), plan) in enumerate(zip(ways, plans[group * 3 : group * 3 + 3], strict=True)):
            lost, y = _foreseen(plan).slowdown or 0.0, top + 22 + row * 64
            canvas.text(230, y + 36, way, at="end")
            canvas.box(250, y, 850, 50)
            canvas.box(250, y, 850 * lost, 50, fill=fill)
            canvas.text(266 + 850 * lost, y + 36, f"**{lost:.0%}".replace("%", " %"), size=30)
    canvas.text(1100, 44, "of its work lost while held (of 100 %)", at="end", fill=FAINT, size=26)
    return canvas


def link() -> Canvas:
    """What of 40 Gbit/s arrives as memory, and what has the rest."""
    canvas = Canvas("What of 40 Gbit/s arrives as memory: of one stream, two, eight, in larger frames, beside others")
    plans = load(PICTURES / "link.yaml").plans()
    rows = zip(("1 stream", "2 streams", "8 streams", "frames of 4000", "beside 12 of UDP"), plans, strict=True)
    for row, (words, plan) in enumerate(rows):
        _rate(canvas, 18 + row * 92, words, plan)
    for place, (words, fill) in enumerate([("memory", BLUE), ("headers", RED), ("others", ORANGE), ("unused", EMPTY)]):
        canvas.box(276 + place * 220, 492, 30, 30, fill=fill)
        canvas.text(318 + place * 220, 517, words)
    return canvas


def _rate(canvas: Canvas, y: float, words: str, plan: Plan) -> None:
    """One bar: memory, its headers, others' frames, and what nobody used, in Gbit/s at full size."""
    vmotion, cross = plan.network.vmotion, plan.network.cross_traffic
    rate = vmotion.rate or 0.0
    unit = 40 / rate
    whole = link_goodput(vmotion)
    memory = available(plan, whole) * 8 * unit
    framed = memory * rate / (whole * 8)
    others = 40 - framed if cross is not None and cross.rate * unit > 1 else 0.0
    canvas.text(256, y + 40, words, at="end")
    canvas.box(276, y, 800, 56, fill=EMPTY)
    x = 276.0
    for width, fill in ((memory, BLUE), (framed - memory, RED), (others, ORANGE)):
        canvas.box(x, y, width * 20, 56, fill=fill)
        x += width * 20
    canvas.text(1092, y + 40, f"**{memory:.1f}", size=32)


def evacuate() -> Canvas:
    """Eight guests alike over one link, so and so many at once: when each wave is out."""
    canvas = Canvas("Eight guests over one link, one, two, four and eight at once: when they are out")
    end = 240.0
    for row, plan in enumerate(load("hello", overrides=list(FLEET)).plans()):
        many, done = 2**row, _foreseen(plan)
        y, wide = 16 + row * 122, 940 / end
        canvas.text(20, y + 60, f"**{many} at once", size=30)
        if done.outcome != "completed":
            canvas.box(200, y, 860, 96, fill=GREY)
            canvas.text(630, y + 60, "each sends what is dirtied meanwhile, for ever", at="middle")
            canvas.text(1076, y + 60, "**never", size=34, fill=RED)
            continue
        for wave in range(8 // many):
            for lane in range(many):
                x, length = 200 + wave * done.total_time_s * wide, done.total_time_s * wide
                canvas.box(x + 2, y + lane * 96 / many, length - 4, 96 / many - 3, fill=BLUE)
        last = 8 / many * done.total_time_s
        canvas.text(216 + last * wide, y + 60, f"**{last:.0f} s", size=34)
    canvas.text(200, 526, "each bar is one guest; the link is never idle", fill=FAINT, size=26)
    return canvas


def arena() -> Canvas:
    """A board's means and intervals, from few guests and from many."""
    canvas = Canvas("Mean prices and 95 % intervals of three policies, over eight guests and over forty")
    names = [("qemu-dirty-limit", GREEN), ("vmotion", BLUE), ("qemu", RED)]
    board = contest(rivals([]), drawn(OPEN_KEY, GUESTS), Weights(), OPEN_KEY)
    canvas.text(1180, 44, "price: lower is better", at="end", fill=FAINT, size=26)
    for group, count in enumerate((FEW, GUESTS)):
        top = 44 + group * 236
        canvas.text(30, top, f"**{count} guests", size=30)
        for row, (name, fill) in enumerate(names):
            found = spread([match.price for match in board.of(name).matches[:count]])
            y = top + 46 + row * 58
            canvas.text(270, y + 10, name, at="end")
            low, mean, high = (290 + 2000 * (each or 0.0) for each in (found.low, found.mean, found.high))
            canvas.box(low, y - 6, high - low, 12, fill=fill)
            canvas.box(mean - 14, y - 20, 28, 40, fill=fill)
            canvas.text(high + 16, y + 10, f"**{found.mean:.2f}")
    for tick in (0, 0.1, 0.2, 0.3, 0.4):
        canvas.text(290 + 2000 * tick, 526, f"{tick:g}", at="middle", fill=FAINT, size=24)
    canvas.line([(290, 494), (1180, 494)], fill=GREY)
    return canvas


def prices() -> Canvas:
    """What each policy's mean price is made of, over all guests of the open key that are asked."""
    canvas = Canvas("What the prices of five policies are made of: time, work lost, downtime too long, not completed")
    guests, weights = drawn(OPEN_KEY, GUESTS), Weights()
    board = contest(rivals([]), guests, weights, OPEN_KEY)
    fills = [("time", BLUE), ("work lost", ORANGE), ("too long a downtime", RED), ("not completed", INK)]
    for row, name in enumerate(("qemu-dirty-limit", "vmotion", "qemu", "xen", "plain")):
        y, x = 14 + row * 92, 280.0
        canvas.text(260, y + 46, name, at="end")
        for width, (_, fill) in zip(_parts(board.of(name), guests, weights), fills, strict=True):
            if width > 1e-6:  # less is what rounding leaves of nothing, of either sign
                canvas.box(x, y, 900 * width, 68, fill=fill)
                x += 900 * width
        canvas.text(x + 14, y + 46, f"**{board.of(name).price.mean:.2f}", size=30)
    for (words, fill), x in zip(fills, (30, 180, 380, 720), strict=True):
        canvas.box(x, 492, 30, 30, fill=fill)
        canvas.text(x + 42, 517, words)
    return canvas


def _parts(standing: Standing, guests: Sequence[ArenaGuest], weights: Weights) -> list[float]:
    """Means over the guests of the price's three terms, and of what failing costs; together they are the price."""
    parts = list[tuple[float, float, float, float]]()
    for match, guest in zip(standing.matches, guests, strict=True):
        if match.total_time_s is None or match.downtime_s is None:
            parts.append((0.0, 0.0, 0.0, match.price))
            continue
        time = weights.time * max(0.0, match.total_time_s - guest.sending_s) / guest.sending_s
        work = weights.work * match.lost_s / guest.sending_s
        parts.append((time, work, match.price - time - work, 0.0))
    return [fmean(each) for each in zip(*parts, strict=True)]
