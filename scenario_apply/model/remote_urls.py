"""URLs of datasets: which are accepted in a manifest, and which the caller consents to read.

A manifest may come from an untrusted author, and a URL makes this machine send requests with its credentials and from
its place in the network. So nothing is fetched without the caller's consent.
"""

from __future__ import annotations

import re
from typing import NamedTuple

STORES = ("s3", "gs", "az")
"""Schemes of object stores, which can be listed."""
WEB = ("https", "http")
_BUCKET = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9._-]{1,254}")
_DATABASE = re.compile(r"postgres://[A-Za-z0-9.:\[\]%_-]+(?:/[^\s@?#]*)?")  # of a state; no dataset is read there
_DATABASE_PORT = re.compile(r"^postgres(ql)?://([^/]*?)(?::5432)?(?=/|$)")
_ODD = re.compile(r"[\x00-\x20\x7f\\]")
_DOT = re.compile(r"%(?:25)*2e", re.IGNORECASE)  # which servers decode before they look for ..
_LONGEST = 2000


class RemoteAccess(NamedTuple):
    """What the caller consents to. everything: every public URL. prefixes: these URLs, and what lies below them.

    allow_http: also unencrypted ones. A prefix may name a private address; everything includes none.
    """

    everything: bool = False
    prefixes: tuple[str, ...] = ()
    allow_http: bool = False

    def names(self, url: str) -> bool:
        """Whether the caller named the URL, or a folder above it."""
        return any(url == prefix or url.startswith(prefix.rstrip("/") + "/") for prefix in self.prefixes)

    def permits(self, url: str) -> bool:
        """Whether the URL may be read at all."""
        return self.everything or self.names(url)


NO_REMOTE = RemoteAccess()


def remote_access(text: str, *, asked: bool, allow_http: bool) -> RemoteAccess:
    """The consent in SCENARIO_APPLY_ALLOW_REMOTE: 1 for all, or URLs separated by commas. asked: by --allow-remote."""
    parts = [_DATABASE_PORT.sub("postgres://\\2", part.strip()) for part in text.split(",")]
    prefixes = tuple(
        part for part in parts if is_url(part) and (_DATABASE.fullmatch(part) or url_problem(part) is None)
    )
    return RemoteAccess(everything=asked or text.strip() == "1", prefixes=prefixes, allow_http=allow_http)


def is_url(written: str) -> bool:
    """Whether a path in a manifest is a URL."""
    return "://" in written


def scheme_of(url: str) -> str:
    return url.partition("://")[0]


def has_credentials(url: str) -> bool:
    """Whether it may hold some: a name or password before the host, or a query, where signatures stand."""
    authority, _, path = url.partition("://")[2].partition("/")
    return "@" in authority or "?" in authority or ("?" in path and scheme_of(url).lower() in WEB)


def url_problem(url: str) -> tuple[str, str] | None:
    """What is wrong with a URL, and a hint; None when it can be read. The texts do not repeat the URL."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    if has_credentials(url):
        return "the URL holds a password or a query", "give credentials in the environment, and a URL without a query"
    if scheme == "hf":
        return "hf:// is not supported", "download it with `hf download --repo-type dataset`, and name the folder"
    if scheme not in (*STORES, *WEB):
        return f"{scheme[:20]}:// is not supported", "use s3://, gs://, az:// or https://"
    if len(url) > _LONGEST or _ODD.search(url) or "#" in url or ".." in _DOT.sub(".", path).split("/"):
        return "this is not the URL of a file or folder", "leave out blanks, backslashes, # and .."
    if path.lower().endswith(".zip") or ".zip/" in path.lower():
        return "zip files are not read from elsewhere", "download it and name the file, or name the folder unpacked"
    if scheme in STORES:
        if not _BUCKET.fullmatch(host):
            return "the URL names no bucket", f"write {scheme}://BUCKET/FOLDER"
        return None
    from urllib.parse import urlsplit  # here: every command imports this module

    try:
        parts = urlsplit(url)
        is_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_host = False
    return None if is_host else ("the URL names no host", "write https://HOST/PATH")
