"""A state that is a link: a shared drive, a folder of dotfiles. What it leads to is read and written; the link stays.

Journal, lock and backups lie beside what it leads to, so that all who share the state share them, too. A link in a Git
checkout may have come with a pull request: it is not followed out of the checkout, nor to anything that is hidden.
Outside of a checkout a link of this user is followed to a file that is named like a state. What lies there must be a
state to be written at all.
"""

from __future__ import annotations

import os
import shlex

from scenario_apply.cli.named_files import checkout_of, untrusted_top
from scenario_apply.errors import StateError

_ENDING = ".json"


def follow_state_link(path: str, within: str | None, cwd: str, root: str | None = None) -> tuple[str, str | None]:
    """The state's real path, and the folder below which no other link is followed; both unchanged where it is no link.

    within: that folder for path itself. Raises StateError for a link that is not followed, and says why.
    """
    if not os.path.islink(path):
        return path, within
    target = os.path.realpath(path)
    owner = os.lstat(path).st_uid
    if os.path.islink(target):
        raise _refused(path, "leads in a circle", "delete the link")
    if owner not in (os.geteuid(), 0):
        raise _refused(path, f"belongs to user {owner}", f"name the file it leads to: --state {shlex.quote(target)}")
    if not os.path.isdir(os.path.dirname(target)):
        what = f"leads to {target}, and there is no such folder"
        raise _refused(path, what, "mount or create it first: a state that seems empty is paid for again")
    top = checkout_of(os.path.dirname(path))
    if top is not None:
        return _within_checkout(path, target, os.path.realpath(top))
    if untrusted_top(path, cwd, root) is not None and not _is_plain(target, anywhere=os.path.exists(target)):
        what = f"leads to {target}, which is not named like a state"
        raise _refused(path, what, f"delete the link, or name where it leads: --state {shlex.quote(target)}")
    return target, None


def _within_checkout(path: str, target: str, top: str) -> tuple[str, str]:
    inside = target.startswith(top.rstrip(os.sep) + os.sep)
    if not inside:
        what = f"leads to {target}, out of the Git checkout {top}"
        raise _refused(
            path, what, f"it may have come with the repository; name the file itself: --state {shlex.quote(target)}"
        )
    if not _is_plain(os.path.relpath(target, top), anywhere=False):
        what = f"leads to {target}, which is hidden or not named like a state"
        raise _refused(path, what, f"delete the link, or name where it leads: --state {shlex.quote(target)}")
    return target, top


def _is_plain(target: str, *, anywhere: bool) -> bool:
    """Whether it is named like a state. anywhere: hidden folders are accepted, for a file that exists."""
    hidden = any(part.startswith(".") for part in target.split(os.sep) if part not in ("", os.curdir))
    return target.endswith(_ENDING) and (anywhere or not hidden)


def _refused(path: str, what: str, hint: str) -> StateError:
    return StateError(f"the state {path} is a link that {what}", code="state-link", hint=f"{hint}; nothing was changed")
