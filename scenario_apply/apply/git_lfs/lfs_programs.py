"""Runs git-lfs for a checkout that is not trusted: in a folder of its own, with a configuration of our own.

The folder is a Git repository that holds nothing but the pointers. So no configuration, hook, filter, attribute or
alias of the checkout takes part, and git-lfs downloads exactly these objects. The environment is a list of what the
programs need; the credentials of Scenario are not on it.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha1

from msgspec import Struct

from scenario_apply.apply.git_lfs.lfs_server import LfsServer, Pairs
from scenario_apply.apply.git_lfs.placing import Pointer

_PASSED_ON = {
    *("LANG", "LANGUAGE", "TZ", "TMPDIR", "USER", "LOGNAME", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
}
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
_OWN = {
    *("HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"),
    *("GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "SSH_AUTH_SOCK", "SSH_ASKPASS", "GIT_ASKPASS"),
}
"""The caller's own configuration of Git and SSH, with its credential helpers."""
_SECONDS_TO_READ = 30
_SECONDS_TO_BEGIN = 120
_SLOWEST_BYTES_A_SECOND = 50_000
_SHOWN = 400
_SPARE_BYTES = 16 << 20
_MOST_LISTED_BYTES = 64 << 20
_USER_INFO = re.compile(r"(?<=://)[^/\s@]*@")


class LfsFailed(Exception):
    """git-lfs is missing, or could not download the pictures. The text says why; it may hold texts of the server."""


class LfsPrograms(Struct, frozen=True, kw_only=True):
    """git and git-lfs: the words that start them. folder: their own, see above."""

    git: Sequence[str]
    lfs: Sequence[str]
    folder: str
    environment: Mapping[str, str]

    def configuration(self, text: str) -> Pairs:
        """Keys and values of a configuration, in the order of the text. Raises LfsFailed for a text that is none."""
        lines = text.splitlines()
        # git repeats the name of a section before each of its keys
        if len(lines) * max(map(len, lines), default=0) > _MOST_LISTED_BYTES:
            raise LfsFailed("the configuration of the checkout cannot be read: its lines are too long")
        words = (*self.git, "config", "--file", "-", "--no-includes", "--null", "--list")
        done = self._run(words, given=text.encode(errors="surrogateescape"), seconds=_SECONDS_TO_READ)
        if done.returncode:
            raise LfsFailed(f"the configuration of the checkout cannot be read: {_said(done.stderr)}")
        entries = (entry.partition("\n") for entry in done.stdout.decode(errors="replace").split("\0") if entry)
        return [(key, value) for key, _, value in entries]

    @property
    def objects(self) -> str:
        """The folder that downloaded pictures are in."""
        return os.path.join(self.folder, "lfs", "objects")

    def fetch(self, server: LfsServer, pointers: Sequence[Pointer]) -> str | None:
        """Download the pictures of the pointers; why not all of them could be downloaded, None for success."""
        _write_repository(self.folder, server, pointers)
        biggest = max(pointer.size for pointer in pointers) + _SPARE_BYTES
        seconds = _SECONDS_TO_BEGIN + sum(pointer.size for pointer in pointers) / _SLOWEST_BYTES_A_SECOND
        done = self._run((*self.lfs, "fetch", "origin", "HEAD"), seconds=seconds, biggest=biggest)
        return f"git-lfs could not get all from {server.shown}: {_said(done.stderr)}" if done.returncode else None

    def _run(
        self, words: Sequence[str], *, given: bytes = b"", seconds: float, biggest: int | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """biggest: bytes of the largest file that it may write."""
        # not in the checkout: programs look into their working folder
        with subprocess.Popen(  # noqa: S603  # programs from absolute folders of the caller's PATH
            words,
            cwd=self.folder,
            env=dict(self.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as child:
            if biggest is not None and hasattr(resource, "prlimit"):
                resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (biggest, biggest))
            try:
                out, err = child.communicate(given, timeout=seconds)
            except BaseException as error:
                child.kill()
                if isinstance(error, subprocess.TimeoutExpired):
                    raise LfsFailed(f"{os.path.basename(words[0])} took more than {seconds:.0f} seconds") from error
                raise
            return subprocess.CompletedProcess(words, child.returncode, out, err)


@contextmanager
def lfs_programs(environment: Mapping[str, str], *, with_credentials: bool) -> Iterator[LfsPrograms]:
    """The programs, with a new folder for them that is deleted at the end. Raises LfsFailed where they are missing.

    with_credentials: they may use the caller's configuration of Git and SSH, with its credential helpers.
    """
    folders = [folder for folder in environment.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(folder)]
    path = os.pathsep.join(folders)
    git, lfs = shutil.which("git", path=path), shutil.which("git-lfs", path=path)
    if git is None:
        raise LfsFailed("git is not installed")
    with tempfile.TemporaryDirectory(prefix="scenario-apply-lfs-") as folder:
        given = program_environment(environment, folder, with_credentials=with_credentials)
        # started by git it would outlive a git that is killed; a few systems keep it where only git finds it
        with_git = [git, "lfs"] if lfs is None else [lfs]
        programs = LfsPrograms(git=[git], lfs=with_git, folder=folder, environment=given | {"PATH": path})
        _write_repository(folder, None, ())
        if programs._run((*programs.lfs, "version"), seconds=_SECONDS_TO_READ).returncode:
            raise LfsFailed("git-lfs is not installed")
        yield programs


def program_environment(environment: Mapping[str, str], folder: str, *, with_credentials: bool) -> dict[str, str]:
    """The environment of the programs, without PATH. folder: their own, which is a repository."""
    names = _PASSED_ON | (_OWN if with_credentials else set())
    kept = {key: value for key, value in environment.items() if key in names or key.startswith("LC_")}
    for name in (*_PROXIES, *map(str.lower, _PROXIES)):
        value = environment.get(name)
        if value and (with_credentials or "@" not in value):
            kept[name] = value
    if not with_credentials:
        kept |= {
            "HOME": folder,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_SSH_COMMAND": "false",
        }
    # no prompts: a program that waits for a password would block a pipeline
    return kept | {"GIT_DIR": folder, "GIT_TERMINAL_PROMPT": "0"}


def _write_repository(folder: str, server: LfsServer | None, pointers: Iterable[Pointer]) -> None:
    """A bare repository whose commit holds the pointers, as files that are numbered."""
    entries = []
    for number, pointer in enumerate(pointers):
        text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{pointer.sha256}\nsize {pointer.size}\n"
        entries.append(b"100644 %08d\0" % number + bytes.fromhex(_write_object(folder, b"blob", text.encode())))
    tree = _write_object(folder, b"tree", b"".join(entries))
    who = "scenario-apply <scenario-apply> 0 +0000"
    text = f"tree {tree}\nauthor {who}\ncommitter {who}\n\npointers\n"
    commit = _write_object(folder, b"commit", text.encode())
    os.makedirs(os.path.join(folder, "refs", "heads"), exist_ok=True)
    _write(os.path.join(folder, "HEAD"), f"{commit}\n")
    _write(os.path.join(folder, "config"), _configuration_of(server))


def _configuration_of(server: LfsServer | None) -> str:
    lines = ["[core]", "\trepositoryformatversion = 0", "\tbare = true"]
    if server is not None:
        lines += ['[remote "origin"]', f"\turl = {_quoted(server.url)}"]
        lines += ["[lfs]", f"\turl = {_quoted(server.url)}"] if server.is_lfs_url else []
        for key, value in server.headers:
            of_url = key.removeprefix("http.").removesuffix("extraheader").removesuffix(".")
            lines += [f"[http {_quoted(of_url)}]" if of_url else "[http]", f"\textraheader = {_quoted(value)}"]
    return "\n".join([*lines, ""])


def _quoted(value: str) -> str:
    """A value or subsection for a file of Git's configuration; it holds no line end. Source: git-config, Syntax."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _write_object(folder: str, kind: bytes, body: bytes) -> str:
    """Write an object as Git stores it; its id. Source: gitformat-loose, and Pro Git, Git Internals."""
    whole = kind + b" %d\0" % len(body) + body
    name = sha1(whole).hexdigest()  # noqa: S324  # Git's name for it, not a safeguard
    path = os.path.join(folder, "objects", name[:2])
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, name[2:]), "wb") as file:
        file.write(zlib.compress(whole))
    return name


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _said(stderr: bytes) -> str:
    """The program's own words in one line, bounded, without users and passwords of addresses."""
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("fetch:", "Errors logged", "Use `git lfs logs"))]
    text = _USER_INFO.sub("", "; ".join(told)) or "it gave no reason"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
