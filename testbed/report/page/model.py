"""What a page shows of a run, before it is HTML."""

from dataclasses import dataclass

from testbed.core.records.migration import MigrationRecord, Summary
from testbed.report.charts.moves import Moves
from testbed.report.page.figures import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What the page has of one migration."""

    name: str
    title: str
    migration: MigrationRecord
    figures: list[Figure]
    moves: Moves | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that it shows."""

    summary: Summary
    scenario: str
    published: list[Figure]
    overview: list[Figure]
    sections: list[Section]

    @property
    def figures(self) -> list[Figure]:
        """All of them, in the page's order."""
        return [*self.published, *self.overview, *(figure for section in self.sections for figure in section.figures)]
