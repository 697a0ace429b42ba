"""Asks which are written, and protects those: what is written after that is found the next time."""


class Right:
    def __init__(self, pages):
        self.pages = pages

    def start(self):
        self.pages.protect()

    def collect(self):
        found = self.pages.written()
        for page in found:
            self.pages.protect(page, 1)
        return found
