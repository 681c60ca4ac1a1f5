"""Remembers which drift was reported to a webhook, so that the next plan does not report it again."""

from __future__ import annotations

import json

from scenario_apply.state.stores.atomic import write_atomically
from scenario_apply.state.stores.own_files import own_folder

_NAME = "notified.json"
_MOST_BYTES = 1 << 20
_KEPT = 100


class SentNotices:
    """In .scenario/ of one root: about what -> the digest of what was reported last. Methods raise OSError."""

    def __init__(self, root: str) -> None:
        self._folder = own_folder(root, within=root).within(".scenario")
        self._held = self._read()

    def is_sent(self, about: str, digest: str) -> bool:
        return self._held.get(about) == digest

    def sent(self, about: str, digest: str | None) -> None:
        """Remember it; None: there is nothing to report any more, so that the same is news again later."""
        before = dict(self._held)
        self._held.pop(about, None)
        if digest is not None:
            self._held[about] = digest
        if self._held == before:
            return
        self._folder.ignore_all()
        newest = dict(list(self._held.items())[-_KEPT:])
        write_atomically(self._folder, _NAME, (json.dumps(newest, indent=2) + "\n").encode())

    def _read(self) -> dict[str, str]:
        try:
            content, _ = self._folder.read(_NAME, _MOST_BYTES)
            held = json.loads(content)
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError):
            held = None
        # damaged: a notification that is sent twice harms less than one that is never sent
        return {str(key): str(value) for key, value in held.items()} if isinstance(held, dict) else {}
