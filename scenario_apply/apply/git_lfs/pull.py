"""Puts pictures in the place of their Git LFS pointers: from the checkout's own store, else from its LFS server.

Nothing is trusted but the digest: a picture whose SHA-256 is not that of its pointer is not placed. The server is asked
by git-lfs, which never works in the checkout (lfs_programs.py). Pointers of submodules belong to their own checkouts.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.apply.git_lfs.checkouts import Checkout, checkout_around
from scenario_apply.apply.git_lfs.include_patterns import pull_command
from scenario_apply.apply.git_lfs.lfs_programs import LfsFailed, LfsPrograms, lfs_programs
from scenario_apply.apply.git_lfs.lfs_server import LfsServer, server_of
from scenario_apply.apply.git_lfs.placing import Pointer, place_object, pointer_at
from scenario_apply.dataset.types import Image
from scenario_apply.manifest.loader.data_guard import DataGuard
from scenario_apply.state.stores.git_head import read_git_file

MOST_PULLED_BYTES = 200_000_000
"""Of one picture. A pointer may claim any size, and larger pictures are of no use for a training."""

_CONFIGURATION_BYTES = 1 << 20
_OPTION = "--lfs-pull"


class PullConsent(Struct, frozen=True, kw_only=True):
    """What the caller allows. credentials: git-lfs may contact any server that the checkout names, as the caller.

    Without, only an address of the repository's own configuration is contacted, over https or on this machine.
    """

    credentials: bool = False


class PointerWork(Struct, frozen=True, kw_only=True):
    """The pointers of one checkout. checkout None: they cannot be pulled; why: the reason."""

    guard: DataGuard
    checkout: Checkout | None
    pointers: tuple[Pointer, ...]
    why: str = ""

    @property
    def size_bytes(self) -> int:
        return sum(pointer.size for pointer in self.pointers)

    def command(self, cwd: str) -> str | None:
        """What pulls them; None outside of a checkout."""
        if self.checkout is None:
            return None
        here, top = os.path.realpath(cwd), self.checkout.top
        is_inside = checkout_around(here) == self.checkout
        paths = [self.checkout.path_of(pointer.real) for pointer in self.pointers]
        return pull_command(paths, top=None if is_inside else os.path.relpath(top, here))


def pointers_of(images: Iterable[Image], root: str) -> list[PointerWork]:
    """The pointers of these images by checkout. Those outside of the root are not pulled: nothing is written there."""
    guard = DataGuard(root)
    found: dict[tuple[Checkout | None, str], list[Pointer]] = defaultdict(list)
    checkouts: dict[str, Checkout | None] = {}
    for image in images:
        try:
            pointer = pointer_at(guard, image.file)
        except OSError as error:
            real = os.path.join(root, image.file)
            unread = Pointer(file=image.file, real=real, sha256=image.sha256, size=image.size_bytes)
            found[None, error.strerror or str(error)].append(unread)
            continue
        if pointer is not None:
            folder = os.path.dirname(pointer.real)
            if folder not in checkouts:
                checkouts[folder] = checkout_around(folder)
            checkout = checkouts[folder]
            found[checkout, "" if checkout is not None else "it is in no Git checkout"].append(pointer)
    return [
        PointerWork(guard=guard, checkout=checkout, pointers=tuple(group), why=why)
        for (checkout, why), group in found.items()
    ]


def place_stored(work: PointerWork) -> PointerWork:
    """Place the pictures that Git LFS has downloaded before; what is left. Runs no program. Raises OSError."""
    if work.checkout is None:
        return work
    return _placed_from(work, os.path.join(work.checkout.git, "lfs", "objects"))


def pull(
    work: PointerWork, consent: PullConsent, environment: Mapping[str, str], tell: Callable[[str], None]
) -> str | None:
    """Download the pictures and place them. None: all are placed; else why not, as the end of a sentence."""
    checkout = work.checkout
    if checkout is None:
        return work.why
    too_large = [pointer for pointer in work.pointers if pointer.size > MOST_PULLED_BYTES]
    if too_large:
        size = f"{too_large[0].file} has {too_large[0].size / 1e6:,.0f} MB"
        return f"{size}, and at most {MOST_PULLED_BYTES / 1e6:.0f} are pulled"
    try:
        with lfs_programs(environment, with_credentials=consent.credentials) as programs:
            server = _server(programs, checkout)
            if why := _refusal(server, consent):
                return why
            assert server is not None
            tell(f"Pulling {_counted(work)} with Git LFS from {server.shown}")
            failure = programs.fetch(server, work.pointers)
            left = _placed_from(work, programs.objects)
            if not left.pointers:
                return None
            return (
                failure or f"git-lfs downloaded nothing for {left.pointers[0].file} that has the digest of its pointer"
            )
    except LfsFailed as failed:
        return str(failed)
    except OSError as error:
        return not_placed(error)


def not_placed(error: OSError) -> str:
    """Why a picture could not be put in its place."""
    return f"the picture cannot be put in its place: {error.strerror or error}"


def address_of_server(work: PointerWork, environment: Mapping[str, str]) -> LfsServer | None:
    """Where pull would get the pictures; None where that is not known, or git-lfs is missing."""
    if work.checkout is None:
        return None
    try:
        with lfs_programs(environment, with_credentials=False) as programs:
            return _server(programs, work.checkout)
    except (LfsFailed, OSError):
        return None


def _counted(work: PointerWork) -> str:
    count = len(work.pointers)
    return f"{count:,} {'picture' if count == 1 else 'pictures'} ({work.size_bytes / 1e6:,.1f} MB)"


def _placed_from(work: PointerWork, objects: str) -> PointerWork:
    left = [pointer for pointer in work.pointers if not place_object(work.guard, pointer, objects)]
    return replace(work, pointers=tuple(left))


def _server(programs: LfsPrograms, checkout: Checkout) -> LfsServer | None:
    own = read_git_file(checkout.git, "config", _CONFIGURATION_BYTES) or ""
    shared = read_git_file(checkout.top, ".lfsconfig", _CONFIGURATION_BYTES) or ""
    head = read_git_file(checkout.head, "HEAD") or ""
    given: Sequence[tuple[str, str]] = programs.configuration(shared) if shared else ()
    return server_of(programs.configuration(own), given, head=head, top=checkout.top)


def _refusal(server: LfsServer | None, consent: PullConsent) -> str | None:
    """Why the server is not contacted."""
    if server is None:
        return "the checkout names no remote that is understood"
    if consent.credentials:
        return None
    if server.is_from_lfsconfig:
        return f"{_OPTION} is needed to contact {server.shown}, which .lfsconfig names"
    if server.needs_ssh or server.is_unencrypted:
        return f"{_OPTION} is needed to contact {server.shown}"
    return None
