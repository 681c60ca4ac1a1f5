"""Remembers requests for drafts of captions whose response was not recorded: they may have been charged.

A request is noted on the disk before it is sent, and removed once its caption is in a file. After a crash or a lost
connection it is not repeated, unless the user asks for that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from scenario_apply.state.stores.atomic import write_atomically
from scenario_apply.state.stores.own_files import own_folder

_NAME = "caption-drafts.json"
_MOST_BYTES = 4 << 20


class DraftRequests:
    """In .scenario/ of one root. endpoint: requests to another service are kept apart. Methods raise OSError."""

    def __init__(self, root: str, endpoint: str) -> None:
        self._folder = own_folder(root, within=root).within(".scenario")
        self._endpoint = endpoint
        self._held = self._read()

    def sent_at(self, sha256: str) -> str | None:
        """When a request for the picture with these bytes was sent whose response is not known."""
        return self._held.get(self._key(sha256))

    def begin(self, sha256: str, at: str) -> None:
        """On the disk before it returns. at: ISO 8601."""
        self._held[self._key(sha256)] = at
        self._write()

    def end(self, sha256: str) -> None:
        if self._held.pop(self._key(sha256), None) is not None:
            self._write()

    def _key(self, sha256: str) -> str:
        return f"{self._endpoint} {sha256}"

    def _read(self) -> dict[str, str]:
        try:
            content, _ = self._folder.read(_NAME, _MOST_BYTES)
        except FileNotFoundError:
            return {}
        try:
            held = json.loads(content)
        except (ValueError, RecursionError):
            held = None
        if not isinstance(held, dict):
            raise OSError(0, f"{self._folder.path}/{_NAME} cannot be read; check its content, then delete it")
        return {str(key): str(value) for key, value in held.items()}

    def _write(self) -> None:
        self._folder.ignore_all()
        content: Mapping[str, str] = dict(sorted(self._held.items()))
        write_atomically(self._folder, _NAME, (json.dumps(content, indent=2) + "\n").encode())
