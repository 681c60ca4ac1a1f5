"""Every file of our own is opened here: the state and what lies beside it, the cache, the files of --local.

A repository is not trusted, and it may hold links where our files belong. So a folder is resolved once, and below it
each component is opened by itself and no link is followed. What is opened must be a regular file; a named pipe never
makes us wait. A file that another user owns and everybody may write to is refused; any other owner is accepted, because
root in a container works on files that another user checked out. A file with a second name (a hard link) is read and
replaced, but never changed in place.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from msgspec import Struct

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_LINK_ERRORS = (errno.ELOOP, errno.ENOTDIR, errno.EMLINK)  # what systems answer to O_NOFOLLOW on a link
LARGEST_BYTES = 512 << 20
"""The most that is read into memory of a file of our own."""

STATE_IGNORES = """\
# Written by scenario-apply: these files belong to one machine or one run.
*.lock
*.journal
*.tmp
backups/
"""
"""The .gitignore of a folder that is made for a state."""


class UnsafeFile(OSError):
    """Something that is not opened, or not followed, in the place of a file of our own. hint: the way out."""

    def __init__(self, path: str, why: str, hint: str) -> None:
        super().__init__(errno.ELOOP, f"{path} {why}", path)
        self.hint = hint


def hint_of(error: OSError, otherwise: str | None = None) -> str | None:
    """The way out of an error of this module; of any other one, what the caller says."""
    return error.hint if isinstance(error, UnsafeFile) else otherwise


class OwnFolder(Struct, frozen=True, kw_only=True):
    """A folder for files of our own. base: resolved. below: the folders below base, none of which may be a link.

    ignores: the .gitignore that the folder gets when it is made here. Methods raise OSError, UnsafeFile among them.
    """

    base: str
    below: tuple[str, ...] = ()
    ignores: str | None = None

    @property
    def path(self) -> str:
        return os.path.join(self.base, *self.below)

    def within(self, *names: str) -> OwnFolder:
        """A folder further down."""
        return OwnFolder(base=self.base, below=(*self.below, *names))

    @contextmanager
    def opened(self, *, create: bool = False) -> Iterator[int]:
        """Its descriptor."""
        folder = self._open_base(create)
        path = self.base
        try:
            for name in self.below:
                path = os.path.join(path, name)
                inner = _enter(folder, name, path, self._gitignore_of(path) if create else None, create=create)
                os.close(folder)
                folder = inner
            yield folder
        finally:
            os.close(folder)

    def open(self, name: str, flags: int, mode: int = 0o600, *, create_folder: bool = False) -> int:
        """The descriptor of a regular file. O_TRUNC is for the caller to do, once the file is known to be ours."""
        path = os.path.join(self.path, name)
        with self.opened(create=create_folder) as folder:
            try:
                file = os.open(name, flags | _FILE, mode, dir_fd=folder)
            except OSError as error:
                _refuse_unless_regular(folder, name, path)
                raise error
        try:
            facts = os.fstat(file)
            _refuse(facts, path)
            if facts.st_nlink > 1 and flags & (os.O_WRONLY | os.O_RDWR):
                raise UnsafeFile(path, "is a hard link: the file has another name, too", f"delete {path}, or move it")
        except BaseException:
            os.close(file)
            raise
        return file

    def read(self, name: str, most: int = LARGEST_BYTES) -> tuple[bytes, os.stat_result]:
        """What a file holds, and its facts as of then."""
        with os.fdopen(self.open(name, os.O_RDONLY), "rb") as file:
            facts = os.fstat(file.fileno())
            if facts.st_size > most:
                raise self._too_large(name, facts.st_size, most)
            content = file.read(most + 1)
        if len(content) > most:
            raise self._too_large(name, len(content), most)
        return content, facts

    def _too_large(self, name: str, size: int, most: int) -> UnsafeFile:
        path = os.path.join(self.path, name)
        return UnsafeFile(path, f"has {size:,} bytes, and at most {most:,} are read", f"move {path} away")

    def look(self, name: str) -> os.stat_result:
        """The facts of what has that name. A link is refused."""
        with self.opened() as folder:
            facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISLNK(facts.st_mode):
                raise _link(folder, name, os.path.join(self.path, name))
            return facts

    def has(self, name: str) -> bool:
        """Whether anything has that name, a link that leads nowhere included."""
        with suppress(FileNotFoundError, NotADirectoryError), self.opened() as folder:
            os.stat(name, dir_fd=folder, follow_symlinks=False)
            return True
        return False

    def names(self) -> list[str]:
        with self.opened() as folder:
            return os.listdir(folder)

    def unlink(self, name: str) -> None:
        """Take a file away; of a link, the link itself."""
        with self.opened() as folder:
            os.unlink(name, dir_fd=folder)

    def rename(self, old: str, new: str) -> None:
        """Over a regular file, or to a new name."""
        with self.opened() as folder:
            _refuse_unless_regular(folder, new, os.path.join(self.path, new))
            os.replace(old, new, src_dir_fd=folder, dst_dir_fd=folder)

    def link(self, old: str, new: str) -> None:
        """Give a file a second name. Raises FileExistsError when anything has it, a link included.

        Where the file system has no hard links, the new name is taken first and then replaced.
        """
        with self.opened() as folder:
            try:
                os.link(old, new, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
            except FileExistsError:
                raise
            except OSError:
                os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE, 0o600, dir_fd=folder))
                os.replace(old, new, src_dir_fd=folder, dst_dir_fd=folder)

    def sync(self) -> None:
        """Make a rename or a new name survive a power loss."""
        with self.opened() as folder:
            os.fsync(folder)

    def ignore_all(self) -> None:
        """Give the folder a .gitignore that names everything in it, unless it has one."""
        with self.opened(create=True) as folder:
            _write_gitignore(folder, "# Written by scenario-apply.\n*\n")

    def _open_base(self, create: bool) -> int:
        is_new = False
        if create and not os.path.isdir(self.base):
            os.makedirs(self.base, exist_ok=True)
            is_new = True
        try:
            folder = os.open(self.base, _FOLDER)
        except OSError as error:
            if error.errno in _LINK_ERRORS and os.path.islink(self.base):
                raise UnsafeFile(self.base, "has become a link", "run the command again") from error
            raise
        if is_new and not self.below and self.ignores is not None:
            _write_gitignore(folder, self.ignores)
        return folder

    def _gitignore_of(self, path: str) -> str | None:
        return self.ignores if path == self.path else None


def own_folder(path: str, *, within: str | None = None, ignores: str | None = None) -> OwnFolder:
    """The folder at path. within: one that it lies in, below which no link is followed; None: path is resolved."""
    whole = os.path.abspath(path)
    top = whole if within is None else os.path.abspath(within)
    relative = os.path.relpath(whole, top)
    if relative.split(os.sep)[0] == os.pardir:
        raise ValueError(f"{whole} is not in {top}")
    below = () if relative == os.curdir else tuple(relative.split(os.sep))
    return OwnFolder(base=os.path.realpath(top), below=below, ignores=ignores)


def temporary_name(name: str) -> str:
    """A name beside a file that cannot have been prepared; `is_temporary` knows it again."""
    return f"{name}.{os.urandom(8).hex()}.tmp"


def is_temporary(found: str, name: str) -> bool:
    """Whether that is a temporary file of name, of this release or an earlier one."""
    middle = found.removeprefix(f"{name}.").removesuffix(".tmp")
    if found != f"{name}.{middle}.tmp":
        return False
    return (middle.isascii() and middle.isdigit()) or (len(middle) == 16 and not middle.strip("0123456789abcdef"))


def _enter(folder: int, name: str, path: str, ignores: str | None, *, create: bool) -> int:
    """A folder in an open one, which stays open."""
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except FileNotFoundError:
        if not create:
            raise
    except OSError as error:
        raise _not_a_folder(folder, name, path, error) from error
    is_new = True
    try:
        os.mkdir(name, dir_fd=folder)
    except FileExistsError:  # another process was faster
        is_new = False
    try:
        inner = os.open(name, _FOLDER, dir_fd=folder)
    except OSError as error:
        raise _not_a_folder(folder, name, path, error) from error
    if is_new and ignores is not None:
        _write_gitignore(inner, ignores)
    return inner


def _not_a_folder(folder: int, name: str, path: str, error: OSError) -> OSError:
    if error.errno in _LINK_ERRORS:
        with suppress(OSError):
            if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                return _link(folder, name, path)
    return error


def _write_gitignore(folder: int, content: str) -> None:
    """Unless there is one. A folder that takes none works without it."""
    with suppress(OSError):
        file = os.open(".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE, 0o644, dir_fd=folder)
        with os.fdopen(file, "w", encoding="utf-8") as out:
            out.write(content)


def _refuse_unless_regular(folder: int, name: str, path: str) -> None:
    """Raises UnsafeFile when something else than a regular file has that name."""
    try:
        facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return
    if stat.S_ISLNK(facts.st_mode):
        raise _link(folder, name, path)
    _refuse(facts, path)


def _refuse(facts: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise UnsafeFile(path, f"is {_kind(facts.st_mode)}, not a regular file", f"move {path} away")
    if facts.st_mode & stat.S_IWOTH and facts.st_uid not in (os.geteuid(), 0):
        why = f"belongs to user {facts.st_uid}, and everybody may write to it"
        raise UnsafeFile(path, why, f"check it, then take that right away: chmod o-w {path}")


def _link(folder: int, name: str, path: str) -> UnsafeFile:
    target = "somewhere"
    with suppress(OSError):
        target = os.readlink(name, dir_fd=folder)
    return UnsafeFile(
        path, f"is a link to {target}; links are not followed here", f"delete the link {path}, or name where it leads"
    )


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket"))
    return next((what for test, what in kinds if test(mode)), "a device")
