"""Docstrings that do not say what they are about, by the full names of what they stand at. To be mended, none added."""

TO_MEND = {
    "testbed.cli.live_page.Watched.beside",
    "testbed.experiment.composition.Audience.__call__",
    "testbed.experiment.composition.thrown_away",
    "testbed.outcomes.Predictions",
    "testbed.web.browser_events.end_as_json",
    "testbed.web.guard.Guard.__call__",
    "testbed.web.hub.Hub.add",
    "testbed.web.live.LivePage.beside",
    "testbed.web.live.LivePage.pid",
    "testbed.web.ticket.Ticket.__call__",
}
