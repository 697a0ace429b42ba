"""Compares what pages hold with what they held, and looks again to remember it."""


class Compares:
    """Wrong on purpose: ``testbed lab try`` finds the order in which it loses a page."""

    def __init__(self, pages):
        self.pages = pages

    def start(self):
        self.held = [self.pages.read(page) for page in range(self.pages.count)]

    def collect(self):
        found = [page for page, held in enumerate(self.held) if self.pages.read(page) != held]
        self.held = [self.pages.read(page) for page in range(self.pages.count)]
        return found
