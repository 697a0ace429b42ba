"""What the model says of a scenario: figures as values, tables as text, and as a notebook shows them."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from testbed.core.records.migration import ComparisonRecord, MigrationRecord
from testbed.model.laws import Laws
from testbed.outcomes import markup
from testbed.report.words.tables import Fitting, plain

if TYPE_CHECKING:
    from testbed.report.words.forecasts import Prediction
    from testbed.scenario import Scenario


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What the model says of each migration of a scenario; ``str()`` is what ``testbed predict`` says.

    Attributes:
        scenario: what was predicted.
        made: a prediction a migration, with plan, record, chance and laws.

    Example:
        >>> testbed.predict("hello")
        <Predictions of hello: 1 migrations>
    """

    scenario: "Scenario"
    made: "list[Prediction]"

    @property
    def migrations(self) -> list[MigrationRecord]:
        """As a run would have them: figures, rounds with their decisions, and ``full_scale``.

        Example:
            >>> round(testbed.predict("hello").migrations[0].total_time_s, 2)
            2.68
        """
        return [each.record for each in self.made]

    @property
    def laws(self) -> list[Laws]:
        """The closed forms of each migration, at emulated size.

        Example:
            >>> round(testbed.predict("hello").laws[0].rho, 2)
            0.21
        """
        return [each.laws for each in self.made]

    @property
    def comparisons(self) -> list[ComparisonRecord]:
        """What was published beside what is predicted.

        Example:
            >>> testbed.predict("hello").comparisons
            []
        """
        from testbed.runfiles.published import comparisons

        return comparisons(self.scenario.published, self.migrations)

    @property
    def feasibility(self) -> dict[str, list[dict[str, Any]]]:
        """By guest: for each link rate and downtime goal the times, None where it would never do; real-world size.

        Example:
            >>> len(next(iter(testbed.predict("hello").feasibility.values())))
            25
        """
        from testbed.report.words.forecasts import feasibility_tables

        return {table.name: [asdict(cell) for cell in table.cells] for table in feasibility_tables(self.made)}

    def _repr_html_(self) -> str:
        from testbed.report.words import forecasts, summary

        lines = [each.why for each in self.made if each.why]
        tables = [each for each in summary.figures_of(self.migrations) if isinstance(each, Fitting)]
        tables.append(forecasts.laws_table(self.made))
        return markup.block(f"{self.scenario.name}: {self.scenario.title}", lines, tables)

    def __str__(self) -> str:
        from testbed.report.words.forecasts import show

        console, file = plain()
        title = f"{self.scenario.name}: {self.scenario.title}"
        show(title, self.made, self.scenario.published, console)
        return file.getvalue()

    def __repr__(self) -> str:
        return f"<Predictions of {self.scenario.name}: {len(self.made)} migrations>"
