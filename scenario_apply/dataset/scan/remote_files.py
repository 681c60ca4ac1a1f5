"""Files of datasets that a URL names: listed by their store, fetched when they are read, kept until the run ends.

What is kept between runs is in the fingerprint cache, by the ETag that the listing gives: a warm plan costs a listing.
"""

from __future__ import annotations

import os
import queue
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from stat import S_IFDIR, S_IFREG
from typing import Protocol

from scenario_apply.dataset.scan.remote_objects import RemoteFailed, RemoteObject, Sink
from scenario_apply.manifest.loader.listing import Folder, Row
from scenario_apply.model.file_names import is_image_name, is_junk_folder
from scenario_apply.model.remote_urls import WEB, RemoteAccess, scheme_of

MOST_OBJECTS = 50_000
"""Of one folder, with everything below it: fifty requests."""
_LARGEST_BYTES = 256 << 20
_MOST_FETCHED_BYTES = 20 << 30  # in one run
_MOST_KEPT_BYTES = 2 << 30
_AT_ONCE = 12


class RemoteReader(Protocol):
    """BucketReader and WebReader. below: what lies in a folder, of which a web server says nothing."""

    def below(self, prefix: str) -> Iterator[RemoteObject]: ...

    def stat(self, key: str) -> RemoteObject | None: ...

    def fetch(self, key: str, tag: str, out: Sink, most: int) -> None: ...


class RemoteFiles:
    """The remote files of one run. Thread-safe, except for listing. Raises RemoteFailed wherever something is asked."""

    def __init__(self, access: RemoteAccess) -> None:
        self.access = access
        self._readers: dict[str, RemoteReader] = {}
        self._known: dict[str, RemoteObject] = {}  # by URL
        self._trees: dict[str, dict[str, list[Row]]] = {}  # by URL of a folder: rows by path below it
        self._kept: dict[str, tuple[str, int]] = {}  # URL -> name of its copy, and its size
        self._kept_bytes = self._fetched_bytes = 0
        self._folder = ""  # private, made for the first copy, and removed with this object
        self._lock = threading.Lock()

    def walk(self, url: str, *, depth: int | None) -> Iterator[Folder]:
        """Folders like those of a disk: listing.walk. A web server lists nothing: only what stat() found is there."""
        url = url.rstrip("/")
        tree = self._web_tree(url) if scheme_of(url) in WEB else self._tree(url)
        if not tree:
            yield Folder(url, "", [], "a file" if self.stat(url) is not None else "missing")
            return
        pending = [("", 0)]
        while pending:
            within, level = pending.pop()
            rows = tree.get(within, [])
            yield Folder(f"{url}/{within}".rstrip("/"), within, rows)
            if depth is None or level < depth:
                below = [row[0] for row in rows if row[4] == S_IFDIR]
                pending += [(f"{within}/{name}" if within else name, level + 1) for name in reversed(below)]

    def images_below(self, url: str) -> dict[str, int]:
        """Sub-folders of a listed folder, by URL -> the number of pictures directly in them."""
        tree = self._trees.get(url, {})
        names = [row[0] for row in tree.get("", []) if row[4] == S_IFDIR]
        return {f"{url}/{name}": sum(is_image_name(row[0]) for row in tree.get(name, [])) for name in names}

    def stat(self, url: str) -> RemoteObject | None:
        """One file; None when there is none."""
        known = self._known.get(url)
        if known is None:
            reader, key = self._reader(url)
            known = reader.stat(key) if key else None
            if known is not None:
                self._known[url] = known
        return known

    def stat_all(self, urls: Iterable[str]) -> None:
        """Asks for many files at once, before walk() lists the folders that they are in."""
        self._on_threads(self.stat, [url for url in urls if url not in self._known])

    def fetch_all(self, urls: Iterable[str]) -> None:
        """Fetches many files at once, before they are opened one by one."""
        self._on_threads(self._copy, [url for url in dict.fromkeys(urls) if url not in self._kept])

    def checksums(self, urls: Iterable[str]) -> dict[str, str]:
        """URL -> SHA-256 in hex of objects in S3 of which it keeps one."""
        from scenario_apply.dataset.scan.s3_checksums import ChecksumReader
        from scenario_apply.state.stores.remote.object_access import endpoint_of

        found: dict[str, str | None] = {}
        parts = {url: url.removeprefix("s3://").partition("/") for url in urls}
        readers = {
            bucket: ChecksumReader(bucket, endpoint_of("s3:")) for bucket in {part[0] for part in parts.values()}
        }

        def ask(url: str) -> None:
            found[url] = readers[parts[url][0]].of(parts[url][2])

        self._on_threads(ask, [*parts])
        return {url: digest for url, digest in found.items() if digest is not None}

    def open(self, url: str) -> int:
        """A descriptor of a file's bytes. Raises FileNotFoundError, RemoteFailed."""
        path = self._copy(url)
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # another thread needed the room
            return os.open(self._copy(url), os.O_RDONLY | os.O_CLOEXEC)

    def _copy(self, url: str) -> str:
        """The path of the copy of this run, in a private folder."""
        kept = self._kept.get(url)
        if kept is not None:
            return kept[0]
        listed = self._known.get(url)
        try:
            path, size = self._fetched(url, listed.tag if listed is not None else "")
        except FileNotFoundError:
            raise
        except OSError as error:  # of the disk: readers raise RemoteFailed
            what = f"{url} cannot be kept in {tempfile.gettempdir()}: {error.strerror or error}"
            raise RemoteFailed(what, "make room there, or set TMPDIR") from error
        if listed is not None and listed.size and size != listed.size:
            raise RemoteFailed(f"{url} has {size} bytes, and its listing says {listed.size}")
        self._keep(url, path, size)
        return path

    def _fetched(self, url: str, tag: str) -> tuple[str, int]:
        """The path of a new copy, and its size."""
        reader, key = self._reader(url)
        with self._lock:
            if not self._folder:
                self._folder = tempfile.mkdtemp(prefix="scenario-apply-")
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as out:
            reader.fetch(key, tag, out, _LARGEST_BYTES)
            return out.name, out.tell()

    def _keep(self, url: str, path: str, size: int) -> None:
        with self._lock:
            self._fetched_bytes += size
            if self._fetched_bytes > _MOST_FETCHED_BYTES:
                raise RemoteFailed(f"the datasets would fetch more than {_MOST_FETCHED_BYTES >> 30} GB in one run")
            self._kept_bytes += size
            self._kept[url] = path, size
            while self._kept_bytes > _MOST_KEPT_BYTES and len(self._kept) > 1:
                oldest = next(iter(self._kept))
                dropped, freed = self._kept.pop(oldest)
                self._kept_bytes -= freed
                os.unlink(dropped)

    def _on_threads(self, work: Callable[[str], object], urls: list[str]) -> None:
        """Daemon threads: a command that is stopped does not wait for what is still on its way."""
        waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        ended: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

        def work_on() -> None:
            with suppress(queue.Empty):
                while True:
                    url = waiting.get_nowait()
                    try:
                        work(url)
                        ended.put(None)
                    except BaseException as error:  # raised by the thread that waits
                        ended.put(error)

        for url in urls:
            waiting.put(url)
        for _ in range(min(_AT_ONCE, len(urls))):
            threading.Thread(target=work_on, daemon=True, name="remote").start()
        for _ in urls:
            error = ended.get()
            if error is not None:
                while not waiting.empty():
                    with suppress(queue.Empty):
                        waiting.get_nowait()
                raise error

    def _reader(self, url: str) -> tuple[RemoteReader, str]:
        """The reader of a URL, and the key that it knows the file by."""
        if not self.access.permits(url):
            raise RemoteFailed(f"{url} may not be read", "run with --allow-remote")
        if scheme_of(url) in WEB:
            if "web" not in self._readers:
                from scenario_apply.dataset.scan.web_files import WebReader

                self._readers["web"] = WebReader(self.access)
            return self._readers["web"], url
        scheme, _, rest = url.partition("://")
        bucket, _, key = rest.partition("/")
        base = f"{scheme}://{bucket}"
        with self._lock:
            if base not in self._readers:
                from scenario_apply.dataset.scan.object_stores import BucketReader

                self._readers[base] = BucketReader(base, self.access)
        return self._readers[base], key

    def _tree(self, url: str) -> dict[str, list[Row]]:
        known = self._trees.get(url)
        if known is not None:
            return known
        reader, prefix = self._reader(url)
        base = url[: len(url) - len(prefix)].rstrip("/")
        folders: dict[str, dict[str, Row]] = {}
        for count, found in enumerate(reader.below(prefix), 1):
            if count > MOST_OBJECTS:
                what = f"{url} holds more than {MOST_OBJECTS:,} objects"
                raise RemoteFailed(what, "name the folder with the pictures, further down")
            path = found.key[len(prefix) :].removeprefix("/") if prefix else found.key
            if _is_usable(path):
                self._known[f"{base}/{found.key}"] = found
                _add(folders, path, found)
        tree = self._trees[url] = {folder: sorted(rows.values()) for folder, rows in folders.items()}
        return tree

    def _web_tree(self, url: str) -> dict[str, list[Row]]:
        folders: dict[str, dict[str, Row]] = {}
        for known, found in self._known.items():
            if known.rpartition("/")[0] == url:
                _add(folders, known.rpartition("/")[2], found)
        return {folder: sorted(rows.values()) for folder, rows in folders.items()}


def _is_usable(path: str) -> bool:
    """Not of names that are hidden or junk on a disk either, nor such as no disk has."""
    parts = path.split("/")
    return all(part and part not in (".", "..") and not is_junk_folder(part) for part in parts)


def _add(folders: dict[str, dict[str, Row]], path: str, found: RemoteObject) -> None:
    folder, _, name = path.rpartition("/")
    folders.setdefault("", {})
    folders.setdefault(folder, {})[name] = (name, found.size, found.mtime_ns, found.identity, S_IFREG, "")
    while folder:
        above, _, name = folder.rpartition("/")
        rows = folders.setdefault(above, {})
        if name in rows:
            break
        rows[name] = (name, 0, 0, 0, S_IFDIR, "")
        folder = above
