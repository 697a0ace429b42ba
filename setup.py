"""All that setup.cfg cannot say: the site that `bootstrap docs` has built goes into the package, where there is one."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent


class WithSite(build_py):
    """The package's files, and among them the site, which `testbed docs` shows from wherever it is installed."""

    def run(self) -> None:
        """Copies them; of an editable install nothing, for that has its checkout."""
        super().run()
        built, inside = HERE / "docs" / "_build" / "html", Path(self.build_lib, "testbed", "site")
        shutil.rmtree(inside, ignore_errors=True)
        if built.is_dir() and not self.editable_mode:
            shutil.copytree(built, inside)


setup(cmdclass={"build_py": WithSite})
