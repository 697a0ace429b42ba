"""Protects all after it has asked which are written."""


class Wrong:
    def __init__(self, pages):
        self.pages = pages

    def start(self):
        self.pages.protect()

    def collect(self):
        found = self.pages.written()
        self.pages.protect()
        return found
