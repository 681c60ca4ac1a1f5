"""python -m tests.fuzz [TARGET ...]: changed seeds into every reader for a while; findings go to tests/fuzz/findings/.

Each target runs in a process of its own, with a limit on memory and processor time where the system has one, so that a
crash of a decoder is a finding like any other. Exit code 1 when there is one. To keep a finding from coming back, fix
it and move its file to tests/fuzz/seeds/TARGET/.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from types import FrameType

from tests.fuzz.mutate import mutated
from tests.fuzz.targets import TARGETS, Target

FINDINGS = Path(__file__).parent / "findings"
INPUT_SECONDS = 5.0
MEMORY_BYTES = 2 << 30
KINDS_AT_MOST = 50


class TooSlow(BaseException):
    """One input took longer than an input may. No Exception: no reader may take it for one of its own."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=float, default=20, help="for each target")
    parser.add_argument("--seed", type=int, help="of the random numbers; default: another one each time")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)  # the process of one target
    options = parser.parse_args()
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    seed = options.seed if options.seed is not None else random.randrange(2**32)
    if options.here:
        return _run_here(TARGETS[options.targets[0]], options.seconds, seed)
    failed = [name for name in options.targets or TARGETS if not _run_apart(name, options.seconds, seed)]
    if failed:
        print(f"findings in: {', '.join(failed)}; see {os.path.relpath(FINDINGS)}", file=sys.stderr)
    return 1 if failed else 0


def _run_apart(name: str, seconds: float, seed: int) -> bool:
    """False: there are findings, or the process of the target died, and then its last input is one."""
    FINDINGS.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz", name, "--here", "--seconds", str(seconds), "--seed", str(seed)]
    code = subprocess.run(command, check=False).returncode
    current = _current(name)
    if code not in (0, 1):
        if current.exists():
            kept = _keep(name, current.read_bytes())
            print(f"{name}: the process died with code {code}: {kept}", file=sys.stderr)
        else:
            print(f"{name}: the process died with code {code} before the first input", file=sys.stderr)
    current.unlink(missing_ok=True)
    return code == 0


def _run_here(target: Target, seconds: float, seed: int) -> int:
    _limit(seconds)
    draw = random.Random(f"{target.name} {seed}")
    seeds = list(target.seeds().values())
    found: dict[str, Path] = {}
    runs = 0
    until = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        pending = list(seeds)
        while time.monotonic() < until and len(found) < KINDS_AT_MOST:
            data = pending.pop() if pending else mutated(draw, seeds, target.words)
            _current(target.name).write_bytes(data)
            kind = run_once(target, data, Path(folder))
            runs += 1
            if kind is not None and kind not in found:
                found[kind] = _keep(target.name, data)
                print(f"{target.name}: {kind}\n    {os.path.relpath(found[kind])}", file=sys.stderr)
    print(f"{target.name}: {runs} inputs, {len(found)} kinds of findings (--seed {seed})")
    return 1 if found else 0


def run_once(target: Target, data: bytes, folder: Path) -> str | None:
    """What kind of finding the input is, by error and place; None when it is none."""
    try:
        with _at_most(INPUT_SECONDS):
            target.run(data, folder)
    except TooSlow:
        return f"more than {INPUT_SECONDS:g} s of processor time"
    except Exception as error:
        return kind_of(error)
    finally:
        for left in folder.iterdir():
            left.unlink()
    return None


def kind_of(error: Exception) -> str:
    """The error and the innermost place in this repository: findings of one kind are told once."""
    root = str(Path(__file__).parents[2])
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(root)]
    last = frames[-1]
    place = f"{os.path.relpath(last.filename, root)}:{last.lineno}"
    return f"{type(error).__name__} at {place}: {' '.join(str(error).split())[:100]}"


class _at_most:  # noqa: N801  # reads like a function where it is used
    """Raises TooSlow after so many seconds of processor time, where the system can tell."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGPROF, _too_slow)
            signal.setitimer(signal.ITIMER_PROF, self._seconds)

    def __exit__(self, *_: object) -> None:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, 0)


def _too_slow(_: int, __: FrameType | None) -> None:
    raise TooSlow


def _limit(seconds: float) -> None:
    """Memory, and the processor time in which the whole run must be over: a decoder in C sees no signal of Python's."""
    warnings.simplefilter("ignore")
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CPU, (int(2 * seconds) + 30, int(2 * seconds) + 40))
    if sys.platform.startswith("linux"):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _keep(name: str, data: bytes) -> Path:
    path = FINDINGS / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    return path


def _current(name: str) -> Path:
    return FINDINGS / f"{name}-current"


if __name__ == "__main__":
    sys.exit(main())
