"""Never protects again what it has found."""


class Wrong:
    def __init__(self, pages):
        self.pages = pages

    def start(self):
        self.pages.protect()

    def collect(self):
        return self.pages.written()
