"""Protects all before it asks which are written."""


class Wrong:
    def __init__(self, pages):
        self.pages = pages

    def start(self):
        self.pages.protect()

    def collect(self):
        self.pages.protect()
        return self.pages.written()
