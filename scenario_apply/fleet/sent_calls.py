"""A call on its way to another process, and its answer on the way back, as bytes.

Pickled here for every engine: Dask waits forever for a result that it cannot send.
"""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def packed(fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
    """Raises what pickle raises for what cannot be sent."""
    return pickle.dumps((fn, args, kwargs))


def carried_out(call: bytes) -> bytes:
    """In the other process: the outcome of a packed call. Never raises."""
    try:
        fn, args, kwargs = pickle.loads(call)  # noqa: S301  # from our own parent
        made = fn(*args, **kwargs)
    except BaseException as error:  # SystemExit, too: it ends the task, not the worker or the command
        return _failure(error)
    try:
        return pickle.dumps((None, made))
    except Exception as unfit:
        return pickle.dumps((RuntimeError(f"a result of type {type(made).__name__} cannot be sent: {unfit}"), None))


def unpacked(answer: bytes) -> Any:
    """What the call returned. Raises what it raised."""
    error, made = pickle.loads(answer)  # noqa: S301  # from our own worker
    if error is not None:
        raise error
    return made


def _failure(error: BaseException) -> bytes:
    error.add_note("".join(traceback.format_exception(error)))
    if not isinstance(error, Exception):
        return pickle.dumps((RuntimeError(f"{error!r} in a worker"), None))
    try:
        held = pickle.dumps((error, None))
        pickle.loads(held)  # noqa: S301  # some exceptions can be pickled, and not read again
        return held
    except Exception as unfit:
        return pickle.dumps((RuntimeError(f"{error!r} in a worker, which cannot be sent: {unfit}"), None))
