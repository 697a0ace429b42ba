"""A module of ours as a process, wherever the user stands: no file there, nor beside the package, passes for another.

    Popen(module("testbed.migration.agent", CONFIG))       python -P .../module.py testbed.migration.agent CONFIG

``-m`` would look into the current folder first, and ``PYTHONPATH`` comes before Python's own modules. Here the
package's own place comes last.
"""

import sys

ROOT = __file__.rsplit("/", 3)[0]
"""What holds ``testbed`` and ``guest_agent``: a checkout that may not be installed, or a directory of packages."""


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs it, with this Python."""
    return [sys.executable, "-P", __file__, name, *arguments]


def main() -> None:
    """Becomes the module named first."""
    import runpy

    if ROOT not in sys.path:
        sys.path.append(ROOT)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
