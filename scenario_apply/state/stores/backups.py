"""The last states of a store, in backups/ beside it: written with every save, and the way back from a damaged state."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import shlex
from collections.abc import Iterator

from msgspec import Struct

from scenario_apply.errors import Location, ScenarioApplyError, StateDamaged
from scenario_apply.model.git_content import is_pointer
from scenario_apply.model.remote import ModelId
from scenario_apply.state.conflict import Conflict
from scenario_apply.state.state import State
from scenario_apply.state.state_file import DuplicateKey, read_state_file, state_of
from scenario_apply.state.stores.atomic import write_atomically
from scenario_apply.state.stores.own_files import OwnFolder

BACKUPS = "backups"
BACKUPS_KEPT = 10
_IDS_SHOWN = 3
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

_SERIAL = re.compile(rb'"serial":\s*([0-9]{1,18})')
_LINEAGE = re.compile(rb'"lineage":\s*"([0-9A-Za-z-]{1,64})"')
_MODEL_ID = re.compile(rb'"id":\s*"([A-Za-z0-9_.-]{1,128})"')


class Backups(Struct, frozen=True, kw_only=True):
    """Those of one state file. folder: the state's; name: of the state's file."""

    folder: OwnFolder
    name: str

    def keep(self, *states: tuple[int, bytes] | None) -> None:
        """Each (serial, content) as <name>.<serial>.json, unless it is there; the newest ten stay. Raises OSError."""
        within = self.folder.within(BACKUPS)
        with contextlib.suppress(FileNotFoundError):
            for serial, content in filter(None, states):
                name = self._file(serial)
                if not self._holds(name, content):
                    write_atomically(within, name, content)
            for name in self._names()[BACKUPS_KEPT:]:
                with contextlib.suppress(FileNotFoundError):
                    within.unlink(name)

    def put_away(self, content: bytes) -> None:
        """A state that is about to be written over though it could not be read. Raises OSError."""
        write_atomically(self.folder.within(BACKUPS), f"{self._stem}.unreadable.json", content)

    def put_moved(self, content: bytes) -> str:
        """The last copy of a state that was moved to another place; its path. Raises OSError."""
        write_atomically(self.folder.within(BACKUPS), self._moved, content)
        return os.path.join(self.folder.path, BACKUPS, self._moved)

    def moved(self) -> bytes | None:
        """That copy; None when no state was moved away from here."""
        with contextlib.suppress(OSError):
            return self.folder.within(BACKUPS).read(self._moved)[0]
        return None

    @property
    def _moved(self) -> str:
        return f"{self._stem}.moved.json"

    def states(self) -> Iterator[tuple[str, State]]:
        """Those that can be read, newest first, each with its path."""
        with contextlib.suppress(OSError):
            for name in self._names():
                with contextlib.suppress(OSError, ScenarioApplyError):
                    content = self.folder.within(BACKUPS).read(name)[0]
                    path = os.path.join(self.folder.path, BACKUPS, name)
                    yield path, state_of(read_state_file(content, source=path), source=path)

    @property
    def _stem(self) -> str:
        return self.name.removesuffix(".json")

    def _file(self, serial: int) -> str:
        return f"{self._stem}.{serial}.json"

    def _names(self) -> list[str]:
        """Newest first. By time: a state that was begun again counts its serials from 1 again."""
        pattern = re.compile(rf"{re.escape(self._stem)}\.([0-9]{{1,18}})\.json")
        within = self.folder.within(BACKUPS)
        found: list[tuple[int, int, str]] = []
        for name in within.names():
            if (match := pattern.fullmatch(name)) is not None:
                with contextlib.suppress(OSError):  # gone, or a link, which is no backup
                    found.append((within.look(name).st_mtime_ns, int(match[1]), name))
        return [name for _, _, name in sorted(found, reverse=True)]

    def _holds(self, name: str, content: bytes) -> bool:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return self.folder.within(BACKUPS).read(name)[0] == content
        return False


def conflicted(path: str, conflict: Conflict) -> StateDamaged:
    """The error for a state with conflict markers."""
    what = f"{path} holds a Git conflict between {conflict.ours_name} and {conflict.theirs_name}"
    merge = f"scenario-apply state merge --state {shlex.quote(path)}"
    return StateDamaged(
        what,
        code="state-conflict",
        location=Location(file=path, line=conflict.line),
        hint=f"{merge} joins the two sides, or names what they contradict each other on; nothing was changed",
    )


def of_another_kind(content: bytes, shown: str) -> StateDamaged | None:
    """The error for a file that is whole and only not the state itself: no backup is the way back from it."""
    if is_pointer(content):
        what = f"{shown} is a Git LFS pointer, not the state itself"
        return StateDamaged(
            what, hint="run `git lfs pull`, or take the file out of .gitattributes; nothing was changed"
        )
    if b'"terraform_version"' in content:
        hint = "name another place for the state of scenario-apply; nothing was changed"
        return StateDamaged(f"{shown} is a state of Terraform", hint=hint)
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if marked is not None and '"lineage"' in content.decode(marked, "replace"):
        what = f"{shown} begins with a byte order mark, which JSON does not allow"
        return StateDamaged(what, hint="save it as UTF-8 without that mark; nothing was changed")
    return None


def with_way_back(
    damaged: StateDamaged, content: bytes, path: str, backups: Backups, journal: bytes | None
) -> StateDamaged:
    """The same error with the way back that loses nothing, or with what would be paid for again.

    content: of the damaged file. journal: what a run that did not end left; it is replayed over whatever is restored.
    """
    what = damaged.problems[0].message
    other = of_another_kind(content, path)
    if other is not None:
        return other
    if isinstance(damaged, DuplicateKey):
        return StateDamaged(what, hint="keep the right one of the two entries; nothing was changed")
    lineage = lineage_in(content)
    fitting = (found for found in backups.states() if lineage is None or found[1].lineage == lineage)
    newest = next(fitting, None)
    if newest is None:
        return StateDamaged(
            what,
            hint=f"there is no backup: restore the file from version control or another machine; nothing was changed. "
            f"{ADOPT_HINT}",
        )
    place, state = newest
    copy = shlex.join(["cp", place, path])
    lost = [model_id for model_id in unknown_to(state, content) if model_id.encode() not in (journal or b"")]
    serials = [int(serial) for serial in _SERIAL.findall(content)]
    if lost:
        named = ", ".join(lost[:_IDS_SHOWN]) + (f" and {len(lost) - _IDS_SHOWN} more" if len(lost) > _IDS_SHOWN else "")
        hint = (
            f"restore the file from version control: the newest backup, {place}, does not know {named}, "
            f"which an apply would make and pay for again. {ADOPT_HINT}"
        )
    elif journal is None and serials and max(serials) > state.serial:
        hint = (
            f"restore the file from version control if it is newer there; else: {copy}  "
            f"(of serial {state.serial}, the damaged file is of {max(serials)}; it knows the same models)"
        )
    else:
        replay = ", and the next apply adds what the journal beside it holds" if journal is not None else ""
        hint = (
            f"{copy}  restores what was last recorded here (serial {state.serial}){replay}. If another machine applied "
            "since, restore the file from version control instead: what it made would be paid for again"
        )
    return StateDamaged(what, hint=f"{hint}; nothing was changed")


ADOPT_HINT = "Models that no state records are adopted with import: blocks, which train nothing"


def lineage_in(content: bytes) -> str | None:
    """The lineage that a damaged state names."""
    found = _LINEAGE.search(content)
    return None if found is None else found[1].decode()


def unknown_to(state: State, content: bytes) -> list[str]:
    """Models that the damaged file names and a state does not."""
    known = state.model_ids()
    named = (ModelId(found.decode()) for found in _MODEL_ID.findall(content))
    return [model_id for model_id in dict.fromkeys(named) if model_id not in known]
