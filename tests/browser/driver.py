"""Debian's Chromium, driven over W3C WebDriver with the standard library: what a test of a page needs, and no more.

    with Browser(width=1200) as browser:
        browser.open(path.as_uri())
        browser.run("return document.title")

https://www.w3.org/TR/webdriver2/; the console's lines are Chromedriver's own ``se/log``.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

PATIENCE_S = 20.0
ENTER, TAB, RIGHT, LEFT = "\ue007", "\ue004", "\ue014", "\ue012"
# The driver is on this machine: no proxy.
_OPENER = build_opener(ProxyHandler({}))


class Browser:
    """One headless window, without any network; ended with all its processes when the context is left."""

    def __init__(self, *, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        self._size, self._dark = (width, height), dark
        self._stack = ExitStack()

    def __enter__(self) -> Browser:
        with ExitStack() as stack:
            profile = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="testbed-browser-", ignore_cleanup_errors=True)
            )
            driver = stack.enter_context(_driver())
            stack.callback(driver.terminate)
            self._url = f"http://127.0.0.1:{_port(driver)}"
            self._session = self._started(profile)
            stack.callback(self._ask, "DELETE", f"/session/{self._session}")
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _started(self, profile: str) -> str:
        """Chromium at times does not come up on a busy machine; its driver then says so, and a second one does."""
        wanted = {"capabilities": {"alwaysMatch": self._wanted(profile)}}
        try:
            return str(self._ask("POST", "/session", wanted)["sessionId"])
        except AssertionError:
            return str(self._ask("POST", "/session", wanted)["sessionId"])

    def open(self, address: str) -> None:
        """Returns when the page has loaded."""
        self._do("POST", "/url", {"url": address})

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of ``return`` in a function's body of JavaScript."""
        return self._do("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script: str) -> Any:
        """Until the script returns something true."""
        until = time.monotonic() + PATIENCE_S
        while not (found := self.run(script)):
            assert time.monotonic() < until, f"in {PATIENCE_S:g} s this never became true: {script}"
            time.sleep(0.05)
        return found

    def press(self, keys: str) -> None:
        """Keys for whatever has the focus."""
        steps = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._do("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": steps}]})

    def console(self) -> list[str]:
        """What the page complained of since the last time: warnings, errors, refused requests."""
        lines = self._do("POST", "/se/log", {"type": "browser"})
        return [line["message"] for line in lines if line["level"] in ("WARNING", "SEVERE")]

    def requests(self) -> list[str]:
        """Addresses that the page loaded beside itself."""
        found: list[str] = self.run("return performance.getEntriesByType('resource').map(e => e.name)")
        return [name for name in found if not name.startswith(("data:", "blob:"))]

    def screenshot(self, file: Path) -> None:
        """What the window shows, as PNG."""
        file.write_bytes(base64.b64decode(self._do("GET", "/screenshot")))

    def resize(self, width: int, height: int) -> None:
        """The window."""
        self._do("POST", "/window/rect", {"width": width, "height": height})

    def metrics(self, width: int, height: int, *, mobile: bool) -> None:
        """A screen of that size: a headless window is not narrower than 500."""
        known = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self._do("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": known})

    def _wanted(self, profile: str) -> dict[str, Any]:
        arguments = [
            "--headless=new",
            f"--user-data-dir={profile}",
            f"--window-size={self._size[0]},{self._size[1]}",
            "--hide-scrollbars",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--proxy-server=127.0.0.1:9",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            *(["--blink-settings=preferredColorScheme=0"] if self._dark else []),
        ]
        options = {"args": arguments, "binary": shutil.which("chromium")}
        return {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}

    def _do(self, method: str, path: str, known: dict[str, Any] | None = None) -> Any:
        return self._ask(method, f"/session/{self._session}{path}", known)

    def _ask(self, method: str, path: str, known: dict[str, Any] | None = None) -> Any:
        body = None if method in ("GET", "DELETE") else json.dumps(known or {}).encode()
        request = Request(self._url + path, data=body, method=method, headers={"Content-Type": "application/json"})  # noqa: S310
        try:
            with _OPENER.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except HTTPError as refused:
            with refused:
                raise AssertionError(f"the browser refused {path}: {refused.read().decode()}") from refused


def _driver() -> subprocess.Popen[str]:
    command = ["chromedriver", "--port=0"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def _port(driver: subprocess.Popen[str]) -> int:
    """The port that the driver chose."""
    assert driver.stdout is not None
    for line in driver.stdout:
        if found := re.search(r"started successfully on port (\d+)", line):
            return int(found[1])
    raise AssertionError("chromedriver did not start; apt-get install chromium chromium-driver")
