"""Asks for each page by itself."""


class Wrong:
    def __init__(self, pages):
        self.pages = pages

    def start(self):
        for page in range(self.pages.count):
            self.pages.protect(page, 1)

    def collect(self):
        found = [page for page in range(self.pages.count) if self.pages.written(page, 1)]
        for page in found:
            self.pages.protect(page, 1)
        return found
