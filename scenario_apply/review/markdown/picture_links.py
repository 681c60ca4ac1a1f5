"""Where the pictures of a plan are in Git: links, and images that the host shows to who may read the repository.

Nothing is uploaded anywhere. Sources: docs.github.com, "Getting permanent links to files" and the parameter raw=true;
docs.gitlab.com, "Repository files", raw; the addresses that Bitbucket Cloud and Azure DevOps give to files.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, assert_never
from urllib.parse import quote

from msgspec import Struct

Flavour = Literal["github", "gitlab", "bitbucket", "azure"]
Side = Literal["head", "base"]
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class Commit(Struct, frozen=True, kw_only=True):
    """A commit of a repository. url: of the repository's page, without a slash at its end."""

    url: str
    sha: str


class PictureLinks(Struct, frozen=True, kw_only=True):
    """head, base: the commit under review and the one it is compared with; None where it is not known.

    folder: of the manifest's root within the repository, "" for its top. is_file: whether a file, seen from the
    manifest's root, is one of the checkout, and no member of an archive or object of a bucket.
    """

    flavour: Flavour = "github"
    head: Commit | None = None
    base: Commit | None = None
    folder: str = ""
    is_file: Callable[[str], bool] = lambda _file: True

    @property
    def shows_images(self) -> bool:
        """Whether images of the repository are shown in its comments."""
        return self.flavour in ("github", "gitlab")

    def page(self, file: str | None, side: Side) -> str | None:
        """The address of the page that shows a file; None where it is not in the repository."""
        return self._address(file, side, raw=False)

    def image(self, file: str | None, side: Side) -> str | None:
        """The address of the picture itself."""
        return self._address(file, side, raw=True) if self.shows_images else None

    def _address(self, file: str | None, side: Side, *, raw: bool) -> str | None:
        commit = self.head if side == "head" else self.base
        path = self._path(file)
        if commit is None or path is None or file is None or (side == "head" and not self.is_file(file)):
            return None
        where = quote(path, safe="/-._~", errors="replace")
        match self.flavour:
            case "github":
                return f"{commit.url}/blob/{commit.sha}/{where}{'?raw=true' if raw else ''}"
            case "gitlab":
                return f"{commit.url}/-/{'raw' if raw else 'blob'}/{commit.sha}/{where}"
            case "bitbucket":
                return f"{commit.url}/src/{commit.sha}/{where}"
            case "azure":
                return f"{commit.url}?path=/{where}&version=GC{commit.sha}"
            case _:
                assert_never(self.flavour)

    def _path(self, file: str | None) -> str | None:
        """A file seen from the top of the repository; None for one outside of it."""
        if file is None or file.startswith("/") or _SCHEME.match(file):
            return None
        parts: list[str] = []
        for part in (*self.folder.split("/"), *file.split("/")):
            if part == "..":
                if not parts:
                    return None
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return "/".join(parts)
