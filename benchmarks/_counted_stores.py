"""State stores that count what is read and written in them: files, S3 (moto), PostgreSQL and an HTTP state server.

A count is of requests: of S3 and HTTP requests, of PostgreSQL statements. Of files, reads are files that were opened
and writes are flushes to the disk.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

Count = tuple[str, str]
"""What was done (read, write, delete) with what (state, backup, call, lease, other)."""


@dataclass(kw_only=True)
class CountedStore:
    """name: for the table; state: for --state; environment: of the tool; program: what runs it in place of -m.

    seen: everything that was counted since the store was opened.
    """

    name: str
    state: str
    seen: Callable[[], Counter[Count]]
    environment: dict[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = ("-m", "scenario_apply")
    lock_ends_with_its_run: bool = True


_WATCHED = """
import os, sys
log, folder = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT), os.path.realpath(sys.argv[2])
def note(what, file):
    path = os.readlink(f"/proc/self/fd/{file}")
    if path.startswith(folder + "/"):
        os.write(log, f"{what} {path}\\n".encode())
def watched(function, what):
    def call(first, *rest, **named):
        result = function(first, *rest, **named)
        is_read = function is opened and not (rest and rest[0] & (os.O_WRONLY | os.O_RDWR))
        if function is flushed or is_read:
            note(what, first if function is flushed else result)
        return result
    return call
opened, flushed = os.open, os.fsync
os.open, os.fsync = watched(opened, "read"), watched(flushed, "write")
sys.argv[:3] = ["scenario-apply"]
from scenario_apply.__main__ import main
sys.exit(main())
"""


@contextlib.contextmanager
def file_store(folder: str) -> Iterator[CountedStore]:
    """folder: where the state lies."""
    log = os.path.join(folder, "watched.log")
    states = os.path.join(folder, "states")
    os.makedirs(states)

    def seen() -> Counter[Count]:
        found: Counter[Count] = Counter()
        with contextlib.suppress(FileNotFoundError), open(log, encoding="utf-8") as lines:
            for line in lines:
                what, _, path = line.rstrip("\n").partition(" ")
                name = os.path.basename(path)
                if os.path.isdir(path) or name == ".gitignore":
                    continue
                kind = "backup" if "/backups/" in path else "state"
                kind = {"journal": "call", "lock": "lease"}.get(name.split(".")[1], kind)
                found[what, kind] += 1
        return found

    program = ("-c", _WATCHED, log, states)
    yield CountedStore(name="file", state=os.path.join(states, "kael.json"), seen=seen, program=program)


@contextlib.contextmanager
def s3_store(folder: str) -> Iterator[CountedStore]:
    import requests
    from moto import server as moto

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    found: Counter[Count] = Counter()
    answer = moto.DomainDispatcherApplication.__call__

    def counted(self: object, environ: dict[str, str], start: object) -> object:
        found[_of_s3(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"])] += 1
        return answer(self, environ, start)

    moto.DomainDispatcherApplication.__call__ = counted
    running = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    requests.post(f"{endpoint}/moto-api/reset", timeout=10)
    requests.put(f"{endpoint}/states", timeout=10)
    found.clear()
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
    try:
        yield CountedStore(
            name="s3",
            state="s3://states/team/kael.json",
            seen=lambda: Counter(found),
            environment={**keys, "AWS_ENDPOINT_URL": endpoint},
            lock_ends_with_its_run=False,
        )
    finally:
        running.stop()
        moto.DomainDispatcherApplication.__call__ = answer


def _of_s3(method: str, path: str, query: str) -> Count:
    asked = parse_qs(query, keep_blank_values=True)
    place = asked.get("prefix", [path])[0]
    kind = "state"
    for part, its in (("/backups", "backup"), (".journal", "call"), (".lock", "lease"), (".clock", "lease")):
        kind = its if part in place else kind
    if "delete" in asked:
        return "delete", "call"
    return {"PUT": "write", "DELETE": "delete"}.get(method, "read"), kind


@contextlib.contextmanager
def postgres_store(folder: str) -> Iterator[CountedStore]:
    from tests.fakes.postgres_server import running_server

    with running_server(log_statement="all", log_line_prefix="@@") as server:

        def seen() -> Counter[Count]:
            found: Counter[Count] = Counter()
            with open(os.path.join(server.folder, "log"), encoding="utf-8") as log:
                for entry in log.read().split("@@"):
                    statement = re.match(r"LOG:\s+(?:statement|execute [^:]*):\s*(\w+)", entry)
                    if statement is not None and not _is_of_the_server(entry):
                        found[_of_postgres(statement[1], entry)] += 1
            return found

        yield CountedStore(name="postgres", state=server.url("states/kael"), seen=seen)


def _is_of_the_server(entry: str) -> bool:
    return "CREATE ROLE" in entry or "CREATE DATABASE" in entry or entry.rstrip().endswith("SELECT 1")


def _of_postgres(verb: str, entry: str) -> Count:
    done = {"INSERT": "write", "UPDATE": "write", "DELETE": "delete"}.get(verb, "read")
    if "CREATE TABLE" in entry:
        return "write", "other"
    if any(word in entry for word in ("advisory", "_leases", "pg_is_in_recovery")):
        return done, "lease"
    table = re.search(r"scenario_apply_(state|backup|call)s\b", entry)
    return done, table[1] if table is not None and "set_config" not in entry and "pg_class" not in entry else "other"


@contextlib.contextmanager
def http_store(folder: str) -> Iterator[CountedStore]:
    from tests.fakes.state_server import StateServer, serving_states

    with serving_states(StateServer()) as server:

        def seen() -> Counter[Count]:
            done = {"GET": ("read", "state"), "POST": ("write", "state"), "LOCK": ("write", "lease")}
            return Counter(done.get(one.method, ("delete", "lease")) for one in server.requests)

        yield CountedStore(name="http", state=server.url, seen=seen, lock_ends_with_its_run=False)


STORES = {"file": file_store, "s3": s3_store, "postgres": postgres_store, "http": http_store}


def shown(found: Counter[Count]) -> str:
    """All counts, as one line of JSON."""
    return json.dumps({f"{what} {kind}": count for (what, kind), count in sorted(found.items())})
