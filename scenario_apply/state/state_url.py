"""URLs of states: which are accepted, and what their stores need of them. Nothing is asked of a host here.

The texts of errors never repeat a URL: it may hold a password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal

Scheme = Literal["s3", "gs", "az", "postgres", "https", "http"]

OBJECT_SCHEMES = ("s3", "gs", "az")
_SCHEMES: dict[str, Scheme] = {
    **{"s3": "s3", "gs": "gs", "az": "az", "postgres": "postgres", "postgresql": "postgres"},
    **{"https": "https", "http": "http"},
}
_LIKELY = {
    **{"s3a": "s3", "s3n": "s3", "r2": "s3", "minio": "s3", "gcs": "gs", "azure": "az", "azblob": "az", "abfs": "az"},
    **{"abfss": "az", "wasb": "az", "wasbs": "az", "pg": "postgres", "psql": "postgres", "pgsql": "postgres"},
}
"""Schemes of other programs, and ours for the same store."""
_KNOWN = "|".join(("file", "ftp", "sftp", "ssh", "gitlab", *_SCHEMES, *_LIKELY))
_MEANT = re.compile(rf"\s*(?:[A-Za-z][A-Za-z0-9+.-]+:[/\\]|(?:{_KNOWN}):|(?:{_KNOWN})[/\\]{{2}})", re.IGNORECASE)
_WRITE = {
    "s3": "s3://BUCKET/FOLDER/NAME.json",
    "gs": "gs://BUCKET/FOLDER/NAME.json",
    "az": "az://CONTAINER/FOLDER/NAME.json",
    "postgres": "postgres://USER@HOST/DATABASE/NAME",
    "https": "https://HOST/PATH",
    "http": "https://HOST/PATH",
}
_ALL = "use a path, s3://, gs://, az://, postgres:// or https://"

_BUCKET = re.compile(r"(?!.*\.\.)[A-Za-z0-9$][A-Za-z0-9._-]{1,254}")
_NAMED_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?\.?")
_IPV6 = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\]")
_PORT = re.compile(r"[0-9]{1,5}")
_LOOPBACK = re.compile(r"localhost\.?|127(?:\.[0-9]{1,3}){3}|::1", re.IGNORECASE)
_NO_KEY = re.compile(r'[\\{}^%`\[\]"<>~#|*?]')  # which obstore writes in another way
_NO_WEB = re.compile(r'[\\{}^`\[\]"<>|]|%(?![0-9A-Fa-f]{2})|%(?:25)*(?:[01][0-9A-Fa-f]|7[Ff])')
_ENCODED = ((re.compile(r"%(?:25)*2e", re.IGNORECASE), "."), (re.compile(r"%(?:25)*2f", re.IGNORECASE), "/"))
_LONGEST = 1500
_LONGEST_KEY_BYTES = 800  # S3 takes 1,024; names of backups and calls are put behind it
_PORTS = {"postgres": 5432, "https": 443, "http": 80}
_ENDING = ".json"


class BadStateUrl(ValueError):
    """A text that is meant as the URL of a state and is none: what is wrong, and a hint. Neither repeats the URL."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class StateUrl:
    """One state in one store.

    shown: the URL without user, password and default port; two URLs of one state show the same.
    host: the bucket, the container or the server, an IPv6 address without brackets; for PostgreSQL also the folder of
    a socket, or "" where the environment says which (PGHOST). port: as written.
    path: the key of an object (`team/kael.json`), the name of a state in a database (`kael`), or the path at a server,
    with its first slash and as written (`/state/kael%20two`). database: of PostgreSQL.
    user, password: of the URL, for PostgreSQL and servers; None where the environment has to say.
    is_named: the caller named the host, so that credentials of the environment may be sent there.
    """

    scheme: Scheme
    shown: str
    host: str
    port: int | None = None
    path: str
    database: str = ""
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    is_named: bool = False

    def __str__(self) -> str:
        return self.shown

    @property
    def is_object(self) -> bool:
        """Whether it is an object of a store whose endpoint and credentials the environment names."""
        return self.scheme in OBJECT_SCHEMES

    @property
    def is_loopback(self) -> bool:
        """Whether the server is this machine."""
        return not self.is_object and _LOOPBACK.fullmatch(self.host) is not None

    @property
    def written(self) -> str:
        """What to write in a command or a manifest: as shown, with the user of a database."""
        if self.scheme != "postgres" or self.user is None:
            return self.shown
        from urllib.parse import quote

        return self.shown.replace("://", f"://{quote(self.user, safe='')}@", 1)

    def named(self) -> StateUrl:
        """The same, named by the caller."""
        return replace(self, is_named=True)


def is_meant(text: str) -> bool:
    """What is_state_url says of a text that may be a URL."""
    return _MEANT.match(text) is not None or "://" in text


def parse_state_url(text: str, manifest_name: str | None = None) -> StateUrl:
    """The URL of a state. manifest_name: the state's name where the URL ends before one. Raises BadStateUrl."""
    scheme, rest = _scheme_of(text)
    if len(text) > _LONGEST or not text.isprintable() or " " in text:
        raise BadStateUrl("the URL is too long, or holds blanks or control characters", f"write {_WRITE[scheme]}")
    if "#" in rest or "?" in rest:
        raise BadStateUrl("the URL of the state holds a query or a fragment", _query_hint(scheme))
    authority, slash, path = rest.partition("/")
    if not slash and scheme != "postgres":
        hint = f"write {_WRITE[scheme]}; a URL that ends in / takes the manifest's name"
        raise BadStateUrl("the URL of the state names no path", hint)
    if scheme in OBJECT_SCHEMES:
        return _object_url(scheme, authority, path, manifest_name)
    return _server_url(scheme, authority, path, manifest_name)


def _scheme_of(text: str) -> tuple[Scheme, str]:
    """The scheme, and what follows its two slashes. Raises BadStateUrl."""
    found, separator, rest = text.partition("://")
    known = _SCHEMES.get(found)
    if separator and known is not None and not rest.startswith("//"):
        return known, rest
    raise _no_store(text)


def _no_store(text: str) -> BadStateUrl:
    """The error for another scheme, with the URL that is likely meant."""
    word = re.split(r"[:/\\]", text.strip(), maxsplit=1)[0]
    lower = word.lower()
    ours = _SCHEMES.get(lower) or _LIKELY.get(lower)
    if ours is not None:
        return BadStateUrl("this is not the URL of a state, nor a path", f"write {_WRITE[ours]}")
    if lower == "file":
        return BadStateUrl("file: is not supported", "write the path itself, e.g. state/kael.json")
    shown = word if re.fullmatch(r"[A-Za-z0-9+.-]{1,20}", word) else "this"
    return BadStateUrl(f"{shown}: is no store for a state", _ALL)


def _query_hint(scheme: Scheme) -> str:
    if scheme == "postgres":
        return "leave it out; options of the connection are set in variables such as PGSSLMODE"
    if scheme in OBJECT_SCHEMES:
        return "leave it out; the store's options are set in its own variables"
    return "leave it out; credentials are set in TF_HTTP_USERNAME and TF_HTTP_PASSWORD"


def _object_url(scheme: Scheme, bucket: str, key: str, manifest_name: str | None) -> StateUrl:
    if "@" in bucket:
        raise BadStateUrl("the URL of the state holds credentials", "give them in the store's own variables")
    if not _BUCKET.fullmatch(bucket):
        what = "container" if scheme == "az" else "bucket"
        raise BadStateUrl(f"the URL of the state names no {what}", f"write {_WRITE[scheme]}")
    named = _named(scheme, key, None if manifest_name is None else f"{manifest_name}{_ENDING}")
    _refuse_parts(scheme, named, _NO_KEY)
    if not named.endswith(_ENDING) or named.endswith(f"/{_ENDING}") or named == _ENDING:
        raise BadStateUrl("the key of the state does not end in .json", f"write {_WRITE[scheme]}")
    if len(named.encode()) > _LONGEST_KEY_BYTES:
        raise BadStateUrl(f"the key of the state has more than {_LONGEST_KEY_BYTES} bytes", "write a shorter one")
    return StateUrl(scheme=scheme, shown=f"{scheme}://{bucket}/{named}", host=bucket, path=named)


def _server_url(scheme: Scheme, authority: str, path: str, manifest_name: str | None) -> StateUrl:
    credentials, at, place = authority.rpartition("@")
    if not at and "@" in path.partition("/")[0]:
        what = "the URL of the state holds a name or password that is not encoded"
        raise BadStateUrl(what, "write %2F for /, %40 for @ and %3A for : in names and passwords")
    host, port = _host_of(scheme, place)
    user, password = _user_of(credentials) if at else (None, None)
    if "***" in (user, password):
        raise BadStateUrl("*** in the URL stands for a password that was not printed", "write the password itself")
    shown_host = f"[{host}]" if ":" in host else host.replace("/", "%2F")
    database = ""
    if scheme == "postgres":
        database, _, name = path.partition("/")
        if not database:
            raise BadStateUrl("the URL of the state names no database", f"write {_WRITE[scheme]}")
        _refuse_parts(scheme, database, _NO_KEY)
        path = _named(scheme, name, manifest_name)
        _refuse_parts(scheme, path, _NO_KEY)
        below = f"/{database}/{path}"
    else:
        path = below = f"/{_web_path(scheme, path, manifest_name)}"
    return StateUrl(
        scheme=scheme,
        shown=f"{scheme}://{shown_host}{'' if port in (None, _PORTS[scheme]) else f':{port}'}{below}",
        host=host,
        port=port,
        path=path,
        database=database,
        user=user,
        password=password,
    )


def _named(scheme: Scheme, path: str, name: str | None) -> str:
    """The path; with the manifest's name where it ends before one. Raises BadStateUrl where there is no manifest."""
    if path and not path.endswith("/"):
        return path
    if name is None:
        hint = f"write {_WRITE[scheme]}, or name the manifest, whose name it takes"
        raise BadStateUrl("the URL of the state does not name the state itself", hint)
    return f"{path}{name}"


def _refuse_parts(scheme: Scheme, path: str, odd: re.Pattern[str]) -> None:
    """Raises BadStateUrl for a path with empty parts, `.`, `..`, or characters that stores do not keep."""
    plain = path
    if scheme in ("https", "http"):
        for encoded, meant in _ENCODED:
            plain = encoded.sub(meant, plain)
    if any(part in (".", "..", "") for part in plain.split("/")):
        raise BadStateUrl("the URL of the state has an empty part, . or .. in its path", f"write {_WRITE[scheme]}")
    found = odd.search(path)
    if found is not None:
        raise BadStateUrl(f"the URL of the state holds {found[0]!r} in its path", "use letters, digits, - and _")


def _web_path(scheme: Scheme, path: str, manifest_name: str | None) -> str:
    from urllib.parse import quote  # here: every command imports this module

    whole = _named(scheme, path, None if manifest_name is None else quote(manifest_name, safe=""))
    _refuse_parts(scheme, whole, _NO_WEB)
    return quote(whole, safe="/%:@!$&'()*+,;=~")


def _host_of(scheme: Scheme, place: str) -> tuple[str, int | None]:
    """Host and port; None for the usual one. Raises BadStateUrl."""
    ipv6 = _IPV6.match(place)
    if scheme == "postgres" and place.upper().startswith("%2F"):
        host, _, number = place.partition(":")
        host = re.sub("%2F", "/", host, flags=re.IGNORECASE)
        is_good = "%" not in host
    elif ipv6 is not None:
        after = place[ipv6.end() :]
        host, number = ipv6[1].lower(), after.removeprefix(":")
        is_good = not after or after.startswith(":")
    else:
        host, _, number = place.lower().partition(":")
        is_good = _NAMED_HOST.fullmatch(host) is not None or (scheme == "postgres" and not place)
    if not is_good:
        raise BadStateUrl("the URL of the state names no host", f"write {_WRITE[scheme]}")
    if number and not (_PORT.fullmatch(number) and 0 < int(number) < 65536):
        raise BadStateUrl("the port in the URL of the state is no port", f"write {_WRITE[scheme]}")
    return host, int(number) if number else None


def _user_of(credentials: str) -> tuple[str | None, str | None]:
    from urllib.parse import unquote

    user, colon, password = credentials.partition(":")
    return unquote(user) or None, unquote(password) if colon else None
