"""Where the pictures of a checkout are: the address of its Git LFS server, from its configuration read as data. Pure.

Nothing but addresses and the headers of HTTP requests is taken over: no key that names a program.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit, urlunsplit

_WEB = re.compile(
    r"https?://[^\s\x00-\x20/@-][^\s\x00-\x20]*|https?://[^\s\x00-\x20/@]*@[^\s\x00-\x20/@-][^\s\x00-\x20]*"
)
_SSH = re.compile(r"(?:ssh|git\+ssh|ssh\+git)://(?:[\w.-]+@)?[A-Za-z0-9][\w.-]*(?::\d+)?/[^\s\x00-\x1f]*")
_SCP = re.compile(r"(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][\w.-]*:(?!//|:)[^\s\x00-\x1f-][^\s\x00-\x1f]*")
_FILE = re.compile(r"file:///[^\x00-\x1f]*")
_HEADER = re.compile(r"http\.(.+\.)?extraheader")
_FOR_ALL = "http.extraheader"
_BRANCH = "ref: refs/heads/"

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LfsServer:
    """url: of the LFS server where is_lfs_url, else of the Git remote, from which git-lfs derives it.

    headers: keys and values of the configuration, which may be credentials of that server. is_from_lfsconfig: the
    address is from the file `.lfsconfig`, which every pull request can change.
    """

    url: str
    is_lfs_url: bool
    is_from_lfsconfig: bool = False
    headers: Pairs = field(default=(), repr=False)

    @property
    def shown(self) -> str:
        """The address without user and password."""
        parts = urlsplit(self.url) if "://" in self.url else None
        if parts is None or parts.scheme == "file" or "@" not in parts.netloc:
            return self.url
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    @property
    def needs_ssh(self) -> bool:
        return not self.url.startswith(("http://", "https://", "file://"))

    @property
    def is_unencrypted(self) -> bool:
        return self.url.startswith("http://")


def server_of(own: Pairs, shared: Pairs, *, head: str, top: str) -> LfsServer | None:
    """The server; None where none is configured in a form that is understood.

    own: keys and values of the repository's configuration, as `git config --list` gives them; shared: of `.lfsconfig`.
    head: the text of HEAD. Source: git-lfs, docs/man/git-lfs-config.adoc and its lfsapi/endpoint_finder.go.
    """
    mine, theirs = dict(own), dict(shared)
    headers = [(key, value) for key, value in own if _HEADER.fullmatch(key) and value.isprintable()]
    remote = _remote(mine, head)
    for key, is_lfs_url in (("lfs.url", True), (f"remote.{remote}.lfsurl", True), (f"remote.{remote}.url", False)):
        for found, is_from_lfsconfig in ((mine.get(key), False), (theirs.get(key), True)):
            if not found or (is_from_lfsconfig and not is_lfs_url):
                continue
            url = _understood(found, top)
            if url is None:
                return None
            # a header for every address is not sent to one that a pull request chose
            sent = [(name, value) for name, value in headers if name != _FOR_ALL or not is_from_lfsconfig]
            return LfsServer(url=url, is_lfs_url=is_lfs_url, is_from_lfsconfig=is_from_lfsconfig, headers=tuple(sent))
    return None


def _remote(configured: Mapping[str, str], head: str) -> str:
    """The remote that git-lfs pulls from: the branch's own, the only one, or origin."""
    if head.startswith(_BRANCH):
        of_branch = configured.get(f"branch.{head.removeprefix(_BRANCH)}.remote")
        if of_branch and of_branch != ".":
            return of_branch
    named = [key[len("remote.") : -len(".url")] for key in configured if re.fullmatch(r"remote\..+\.url", key)]
    return named[0] if len(named) == 1 else "origin"


def _understood(url: str, top: str) -> str | None:
    """The address, a path on this machine as file:///; None for other protocols, which may start programs (ext::)."""
    if any(pattern.fullmatch(url) for pattern in (_WEB, _SSH, _FILE)):
        return url
    if url.startswith(("/", "./", "../")) and url.isprintable():
        return "file://" + quote(str(PurePosixPath(top, url)))
    return url if _SCP.fullmatch(url) else None
