"""Your dirty tracker. It is made with the guest's pages; the guest does not wait for it."""


class Mine:
    def __init__(self, pages):
        self.pages = pages  # count, protect(first, count), written(first, count), read(page)

    def start(self):
        """From here on every write is to be found. Round 1 sends all pages after it."""

    def collect(self):
        """The numbers of the pages to send again. They are read after it has returned."""
        return []
