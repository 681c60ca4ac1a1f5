"""What base models were last seen to take, in .scenario/: it saves reads, and is always safe to delete.

It is not trusted further than that: the service refuses a LoRA that a base does not take, and charges nothing for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from msgspec import Struct

from scenario_apply.model import codec
from scenario_apply.model.codec import Misfit
from scenario_apply.model.remote import BaseInputs, ModelId
from scenario_apply.state.stores.atomic import write_atomically
from scenario_apply.state.stores.own_files import own_folder

NOTES_NAME = "sample-bases.json"
KEPT_S = 7 * 86_400.0
"""How long a note counts: bases change what they take at most with a release of the service."""
_MOST_BYTES = 1 << 20


class BaseNote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """at: when it was read, in seconds since the epoch."""

    inputs: BaseInputs
    at: float


class BaseNotes:
    """Of one service, in .scenario/ of one root. A disk that refuses costs reads, and is no error."""

    def __init__(self, root: str, endpoint: str) -> None:
        self._folder = own_folder(root, within=root).within(".scenario")
        self._endpoint = endpoint

    def fresh(self, now: float) -> dict[ModelId, BaseInputs]:
        """Those that were read in the last days."""
        notes = self._read().get(self._endpoint, {})
        return {base: note.inputs for base, note in notes.items() if 0 <= now - note.at < KEPT_S}

    def keep(self, seen: Mapping[ModelId, BaseInputs], now: float) -> None:
        """Note what has just been read, beside what is there. Nothing is written through a link."""
        if not seen:
            return
        notes = self._read()
        ours = notes.get(self._endpoint, {}) | {base: BaseNote(inputs=inputs, at=now) for base, inputs in seen.items()}
        with suppress(OSError):
            self._folder.ignore_all()
            write_atomically(self._folder, NOTES_NAME, codec.compact({**notes, self._endpoint: ours}))

    def _read(self) -> dict[str, dict[ModelId, BaseNote]]:
        try:
            content, _ = self._folder.read(NOTES_NAME, _MOST_BYTES)
            return codec.fitted(codec.parsed(content), dict[str, dict[ModelId, BaseNote]])
        except (OSError, Misfit):
            return {}
