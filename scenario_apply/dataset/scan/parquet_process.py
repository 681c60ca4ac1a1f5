"""Reads parquet files in a process of its own, with bounds on its memory and time.

A page of a parquet file may say that it unpacks to gigabytes, and pyarrow believes it; a damaged file may end the
process that reads it. Here that is a finding.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from scenario_apply.dataset.captions.parquet_tables import INSTALL, can_read_parquet, parquet_lines
from scenario_apply.model.lint_rules import Finding

_MEMORY_BYTES = 768 << 20  # of addresses; pyarrow itself takes 200 MB
_CPU_S = 30
_LONGEST_S = 120
_CODE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); import {0}; {0}.main(sys.argv[2])"
_PASSED_ON = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")


def parquet_rows(data: bytes, *, file: str) -> bytes | Finding:
    """What parquet_lines gives, in UTF-8. C18 also for a file that takes too much memory or time, or a crash."""
    if not can_read_parquet():
        return Finding("C18", f"{file} is a parquet file, which is read with pyarrow", file, hint=INSTALL)
    path = json.dumps([folder for folder in sys.path if os.path.isabs(folder)])
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and module, isolated from the working folder
            [sys.executable, "-I", "-c", _CODE.format(__name__), path, file],
            input=data,
            env=kept | {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode or done.stdout[:1] not in (b"L", b"F"):
        what = f"{file} cannot be read as parquet: it is damaged, or takes too much memory or time"
        return Finding("C18", what, file, hint="export the columns file_name and text alone, or export it as CSV")
    if done.stdout[:1] == b"F":
        return Finding(**json.loads(done.stdout[1:]))
    return done.stdout[1:]


def main(file: str) -> None:
    """In the process of its own: the file is on standard input, the answer goes to standard output."""
    import resource

    for limit, most in ((resource.RLIMIT_AS, _MEMORY_BYTES), (resource.RLIMIT_CPU, _CPU_S)):
        resource.setrlimit(limit, (most, most))
    found = parquet_lines(sys.stdin.buffer.read(), file=file)
    answer = "L" + found if isinstance(found, str) else "F" + json.dumps(found._asdict())
    sys.stdout.buffer.write(answer.encode())
