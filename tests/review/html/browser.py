"""A headless Chromium, driven through DevTools over a pipe: no driver, no port, no package.

Messages are JSON, each ended by a zero byte; Chromium reads them from descriptor 3 and writes them to 4.
Source: https://chromedevtools.github.io/devtools-protocol/, "--remote-debugging-pipe".
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
)
_PATIENCE_S = 30  # after which a browser without an answer has hung


class Browser:
    """One page of one browser. heard: what the page logged, threw or asked for since it was opened."""

    def __init__(self, folder: Path) -> None:
        assert PROGRAM is not None
        their_read, our_write = os.pipe()
        our_read, their_write = os.pipe()

        def connect() -> None:
            read, write = os.dup(their_read), os.dup(their_write)  # neither is 3 or 4 then
            os.dup2(read, 3)
            os.dup2(write, 4)

        self._process = subprocess.Popen(
            [PROGRAM, *_FLAGS, f"--user-data-dir={folder}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=False,
            preexec_fn=connect,
        )
        os.close(their_read)
        os.close(their_write)
        self._out = os.fdopen(our_write, "wb", buffering=0)
        self._in = our_read
        self._left = b""
        self._last = 0
        self._session = ""
        self._events: list[dict[str, Any]] = []
        self.heard: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """The result of one method. Fails on an error, and when the browser ends."""
        self._last += 1
        message: dict[str, object] = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self._last:
                assert "error" not in answer, (method, answer["error"])
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, url: str, *, width: int = 1280, dark: bool = False, script: bool = True) -> None:
        """Loads a page afresh and waits until it has loaded."""
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.media(dark=dark)
        self.call("Page.navigate", url="about:blank")
        self._wait_for("Page.loadEventFired")
        self.heard.clear()
        self._events.clear()
        self.call("Page.navigate", url=url)
        self._wait_for("Page.loadEventFired")

    def media(self, *, dark: bool = False, kind: str = "screen") -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call(
            "Emulation.setEmulatedMedia",
            media=kind,
            features=[scheme, {"name": "prefers-reduced-motion", "value": "reduce"}],
        )

    def run(self, expression: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str, code: int) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def close(self) -> None:
        self._session = ""
        try:
            self.call("Browser.close")
        finally:
            self._out.close()
            os.close(self._in)
            self._process.wait(timeout=20)

    def _wait_for(self, name: str) -> None:
        while not any(event["method"] == name for event in self._events):
            self._message()
        self._events.clear()

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._in], [], [], _PATIENCE_S)
            piece = os.read(self._in, 1 << 20) if ready else b""
            assert piece, "the browser ended" if ready else "the browser does not answer"
            self._left += piece
        data, _, self._left = self._left.partition(b"\0")
        message: dict[str, Any] = json.loads(data)
        if "method" in message:
            self._events.append(message)
            self._note(message["method"], message["params"])
        return message

    def _note(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Runtime.consoleAPICalled":
                self.heard.append(f"console: {[one.get('value') for one in params['args']]}")
            case "Runtime.exceptionThrown":
                self.heard.append(f"thrown: {params['exceptionDetails']}")
            case "Log.entryAdded":
                self.heard.append(f"log: {params['entry']['text']}")
            case "Network.requestWillBeSent" if params["type"] != "Document":
                url = params["request"]["url"]
                if not url.startswith("data:"):
                    self.heard.append(f"request: {url}")
