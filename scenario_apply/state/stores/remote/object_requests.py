"""Requests to one bucket that are carried out once, also when an answer is lost.

obstore repeats nothing here. Reads are repeated as they are. After a write whose answer was lost or that was refused,
the object is read first: the bytes that were sent count as written, the version that was to be replaced means that
nothing was, anything else is another program's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

from scenario_apply.errors import StateDamaged
from scenario_apply.model.ports import Clock
from scenario_apply.state.stores.own_files import LARGEST_BYTES
from scenario_apply.state.stores.remote.backend import StoreUnavailable
from scenario_apply.state.stores.remote.object_access import (
    NotOpened,
    hint,
    is_missing_object,
    may_pass,
    open_bucket,
    reason,
)

if TYPE_CHECKING:
    from obstore.store import ObjectStore

Value = TypeVar("Value")

_ERRORS = (BaseError, OSError, ValueError)
"""What obstore raises."""
_WAITS_S = (0.2, 0.4, 0.8, 1.6)
"""Between attempts."""
_LONGEST_S = 4.0
"""After so long no further attempt is begun: a store that is not there is reported within ten seconds."""
_CONNECT_S = 5.0
_ANSWER_S = 8.0
"""Time for a whole request, and again for each further _BYTES that it carries."""
_BYTES = 250_000
_PUT_S = 60.0
"""After so long no further attempt of a write is begun."""
_MOST_AT_ONCE = 1000
"""Objects that S3 deletes with one request."""
_ATTRIBUTES = {"Content-Type": "application/json", "Cache-Control": "no-store"}


class FoundObject(NamedTuple):
    """An object as it was read. modified: its time by the store's clock, seconds since the epoch."""

    content: bytes
    version: str
    modified: float


class ListedObject(NamedTuple):
    """An object as it was listed."""

    key: str
    size: int
    modified: float


class ObjectChanged(Exception):
    """The object is not in the version that was to be replaced. found: what it holds; None: it is gone."""

    def __init__(self, found: FoundObject | None) -> None:
        super().__init__("the object changed")
        self.found = found


class ObjectRequests:
    """One bucket. url: such as s3://bucket. Methods may be called from any thread and raise StoreUnavailable."""

    def __init__(self, url: str, *, clock: Clock, allow_http: bool) -> None:
        self.url = url
        self._clock = clock
        self._allow_http = allow_http
        self._stores: dict[float, ObjectStore] = {}
        self._opening = threading.Lock()

    def get(self, key: str, most: int) -> FoundObject | None:
        """An object; None when there is none. Raises StateDamaged when it has more than `most` bytes."""

        def fetch(bytes_expected: int = 0) -> FoundObject:
            answer = obstore.get(self._store(bytes_expected), key)
            size = answer.meta["size"]
            if size > most:
                raise StateDamaged(f"{self.url}/{key} has {size:,} bytes, and at most {most:,} are read")
            try:
                content = bytes(answer.bytes())
            except _ERRORS:
                if _seconds(size) <= _seconds(bytes_expected):
                    raise
                return fetch(size)  # the store answers, and needs more time for an object of this size
            return FoundObject(content, _version(answer.meta), answer.meta["last_modified"].timestamp())

        try:
            return self._repeated(fetch, key, "read")
        except FileNotFoundError as error:
            if is_missing_object(error):
                return None
            raise self._failed(key, "read", error) from None

    def modified(self, key: str) -> float | None:
        """When the object was last written, by the store's clock; None when there is none."""
        store = self._store()
        try:
            found = self._repeated(lambda: obstore.head(store, key), key, "read")
        except FileNotFoundError:
            return None
        return found["last_modified"].timestamp()

    def put(
        self,
        key: str,
        content: bytes,
        *,
        replacing: str | None,
        is_ours: Callable[[bytes], bool] = lambda _: False,
    ) -> str:
        """Write an object if its version is `replacing` (None: if there is none); the new version.

        is_ours: whether an earlier write of this process, whose answer was lost, left these bytes: they are replaced.
        Raises ObjectChanged. After StoreUnavailable the object may hold either.
        """
        store = self._store(len(content))
        begun = self._clock.monotonic()
        problem: Exception | None = None
        for wait_s in (*_WAITS_S, None):
            try:
                return self._put_once(store, key, content, replacing)
            except _ERRORS as error:
                problem = error
                if not (isinstance(error, (AlreadyExistsError, PreconditionError)) or may_pass(error)):
                    break
            try:
                found = self.get(key, LARGEST_BYTES)
            except StoreUnavailable as unreadable:
                if may_pass(problem):  # it did not answer to the write either
                    raise self._failed(key, "written", problem) from None
                raise unreadable
            if found is not None and found.content == content:
                return found.version
            if found is not None and is_ours(found.content):
                replacing = found.version
            elif not _is_same(found and found.version, replacing):
                raise ObjectChanged(found)
            if wait_s is None or self._clock.monotonic() - begun > _PUT_S:
                break
            self._clock.wait(wait_s)
        assert problem is not None
        raise self._failed(key, "written", problem) from None

    def overwrite(self, key: str, content: bytes) -> None:
        """Write an object, whatever it holds."""
        store = self._store(len(content))
        self._repeated(
            lambda: obstore.put(store, key, content, attributes=_ATTRIBUTES, use_multipart=False), key, "written"
        )

    def is_conditional(self, key: str, content: bytes) -> bool:
        """Whether the store heeds conditions. The object exists with these bytes: both writes have to be refused."""
        store = self._store()
        for replacing in (None, _joined('"0123456789abcdef0123456789abcdef"', "1")):
            try:
                once = partial(self._put_once, store, key, content, replacing)
                self._repeated(once, key, "written", is_conditional=True)
            except (AlreadyExistsError, PreconditionError):
                continue
            return False
        return True

    def delete(self, keys: Collection[str]) -> None:
        """Delete objects that are not made again; those that are gone are passed over."""
        store = self._store()
        ordered = sorted(keys)
        for some in (ordered[start : start + _MOST_AT_ONCE] for start in range(0, len(ordered), _MOST_AT_ONCE)):
            try:
                self._repeated(partial(obstore.delete, store, some), some[0], "deleted")
            except FileNotFoundError as error:
                if len(some) == 1:
                    self._refuse_missing_bucket(some[0], error)
                else:  # the store stopped at the first that is gone
                    for key in some:
                        self.delete((key,))

    def delete_ours(self, key: str, is_ours: Callable[[bytes], bool], most: int) -> None:
        """Delete an object that another program may make again: after a lost answer only if it is still ours."""
        store = self._store()
        for wait_s in (*_WAITS_S, None):
            try:
                return _interruptible(partial(obstore.delete, store, key))
            except FileNotFoundError as error:
                return self._refuse_missing_bucket(key, error)
            except _ERRORS as error:
                if wait_s is None or not may_pass(error):
                    raise self._failed(key, "deleted", error) from None
            found = self.get(key, most)
            if found is None or not is_ours(found.content):
                return None
            self._clock.wait(wait_s)
        return None

    def listed(self, folder: str, after: str | None = None) -> Iterator[ListedObject]:
        """The objects below a folder, page by page. after: only keys behind this one."""
        store = self._store()
        pages = iter(obstore.list(store, folder, offset=after, chunk_size=1000))
        while True:
            page = self._repeated(lambda: next(pages, None), f"{folder}/", "listed")
            if page is None:
                return
            for meta in page:
                yield ListedObject(meta["path"], meta["size"], meta["last_modified"].timestamp())

    def _put_once(self, store: ObjectStore, key: str, content: bytes, replacing: str | None) -> str:
        mode: Any = "create" if replacing is None else _update(replacing)
        # one request, of whatever size: only such a one can be conditional
        answer = _interruptible(lambda: obstore.put(store, key, content, mode=mode, attributes=_ATTRIBUTES))
        return _joined(answer["e_tag"], answer["version"])

    def _repeated(self, call: Callable[[], Value], key: str, done: str, *, is_conditional: bool = False) -> Value:
        """The result of a request that may be carried out twice. Raises what says something about the object.

        A condition that failed says nothing where none was set: a store answers so to a write that it takes for two.
        """
        begun = self._clock.monotonic()
        for wait_s in (*_WAITS_S, None):
            try:
                return _interruptible(call)
            except (FileNotFoundError, StateDamaged):
                raise
            except _ERRORS as error:
                is_refused = isinstance(error, (AlreadyExistsError, PreconditionError))
                if is_refused and is_conditional:
                    raise
                is_late = self._clock.monotonic() - begun > _LONGEST_S
                if wait_s is None or is_late or not (is_refused or may_pass(error)):
                    raise self._failed(key, done, error) from None
                self._clock.wait(wait_s)
        raise AssertionError("the last attempt returns or raises")

    def _store(self, size: int = 0) -> ObjectStore:
        """size: bytes that a request carries."""
        timeout_s = _seconds(size)
        with self._opening:
            if timeout_s not in self._stores:
                try:
                    self._stores[timeout_s] = open_bucket(
                        self.url,
                        allow_http=self._allow_http,
                        timeout_s=timeout_s,
                        connect_timeout_s=_CONNECT_S,
                        retries=0,
                    )
                except NotOpened as error:
                    raise StoreUnavailable(f"{self.url} cannot be opened: {error.why}", hint=error.hint) from None
            return self._stores[timeout_s]

    def _refuse_missing_bucket(self, key: str, error: FileNotFoundError) -> None:
        """An object that is gone is as good as deleted; a bucket that is not there is an error."""
        if "Bucket" in reason(error) or "Container" in reason(error):
            raise self._failed(key, "deleted", error) from None

    def _failed(self, key: str, done: str, error: Exception) -> StoreUnavailable:
        """The error; its texts repeat nothing of what the store said but a status and a code."""
        return StoreUnavailable(f"{self.url}/{key} cannot be {done}: {reason(error)}", hint=hint(self.url, error))


def _interruptible(call: Callable[[], Value]) -> Value:
    """The result of a call that does not notice Ctrl-C; so the main thread leaves it to another and waits."""
    if threading.current_thread() is not threading.main_thread():
        return call()
    future: Future[Value] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # handed to the thread that waits
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future.result()


def _seconds(size: int) -> float:
    """How long a request may take that carries so many bytes."""
    return _ANSWER_S * (1 + size // _BYTES)


def _version(meta: Any) -> str:
    return _joined(meta["e_tag"], meta["version"])


def _joined(tag: str | None, version: str | None) -> str:
    """ETag and version in one text. Azure and S3 compare the ETag, Google Cloud Storage the version."""
    return f"{tag or ''} {version or ''}"


def _update(version: str) -> dict[str, str]:
    tag, _, number = version.rpartition(" ")
    return {name: value for name, value in (("e_tag", tag), ("version", number)) if value}


def _is_same(one: str | None, other: str | None) -> bool:
    """Whether two versions are one. Some stores give the number of a version only in some answers."""
    if one is None or other is None:
        return one is other
    (tag, _, number), (other_tag, _, other_number) = one.rpartition(" "), other.rpartition(" ")
    return tag == other_tag and (number == other_number or not number or not other_number)
