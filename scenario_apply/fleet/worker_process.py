"""A worker of the process pool ends with the command that started it, also when that was killed.

A task that runs then is asked to stop, as by Ctrl-C: it finishes its requests in flight and records them.
"""

from __future__ import annotations

import os
import signal
import threading
import time

LOOK_EVERY_S = 1.0


def end_with(command: int) -> None:
    """Watch the process of the command; the initializer of a worker."""
    threading.Thread(target=_watch, args=(command,), daemon=True).start()


def _watch(command: int) -> None:
    while _is_alive(command):
        time.sleep(LOOK_EVERY_S)
    while True:  # the first one asks a task to stop; one that arrives between tasks ends the process
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(LOOK_EVERY_S)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
