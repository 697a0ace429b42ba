"""Sends all pages each time: that loses nothing."""


class Wrong:
    def __init__(self, pages):
        self.pages = pages

    def start(self):
        self.pages.protect()

    def collect(self):
        return range(self.pages.count)
