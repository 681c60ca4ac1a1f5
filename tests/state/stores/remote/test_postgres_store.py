"""state.stores.remote.postgres_backend and its lock, on a real server."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as with_fields

from scenario_apply.errors import ScenarioApplyError, StateLocked
from scenario_apply.state.state_url import StateUrl, parse_state_url
from scenario_apply.state.stores.lock import Holder
from scenario_apply.state.stores.remote import postgres_session
from scenario_apply.state.stores.remote.backend import LeaseLost, StaleWrite, StateBackend, StoreUnavailable
from scenario_apply.state.stores.remote.postgres_backend import PostgresBackend
from scenario_apply.state.stores.remote.postgres_session import PostgresSession, SessionBroken
from tests.fakes.clock import FakeClock
from tests.fakes.postgres_server import PASSWORD, PostgresServer, running_pooler, running_replica
from tests.state.stores.remote.contract_suite import StoreContract

HOLDER = Holder(who="ana", host="runner-1", pid=7, since="2026-09-21T14:13:20Z", command="scenario-apply apply")
Open = Callable[..., PostgresBackend]

_NUMBERS = count()


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGOPTIONS", "PGSSLMODE", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def open_store(postgres: PostgresServer) -> Iterator[Open]:
    """Opens the store of one state, or another one, as one more process would; all are closed at the end."""
    opened: list[PostgresBackend] = []
    name = f"kael-{next(_NUMBERS)}"

    def open_one(url: StateUrl | str | None = None) -> PostgresBackend:
        if not isinstance(url, StateUrl):
            url = parse_state_url(url or postgres.url(f"states/{name}")).named()
        opened.append(PostgresBackend(url, clock=FakeClock(), allow_http=False))
        return opened[-1]

    yield open_one
    for backend in opened:
        backend.close()


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    """A database of its own, without tables."""
    name = f"states{next(_NUMBERS)}"
    postgres.run(f"CREATE DATABASE {name} OWNER keeper")
    return name


def refusal(act: Callable[[], object]) -> str:
    """The message and hint of the StoreUnavailable that it raises, which name no secret."""
    with pytest.raises(StoreUnavailable) as caught:
        act()
    text = f"{caught.value.message} -- {caught.value.problems[0].hint}"
    assert PASSWORD not in text
    assert "keeper" not in text
    assert caught.value.__cause__ is None or PASSWORD not in str(caught.value.__cause__)
    return text


def end_sessions(server: PostgresServer, database: str = "states") -> None:
    """End every session of the database, and wait until they are gone."""
    rows = server.run(
        "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity "
        f"WHERE datname = '{database}' AND pid <> pg_backend_pid()",
        database="postgres",
    )
    assert rows[0][0] > 0


class TestPostgres(StoreContract):
    """The contract of all remote stores."""

    @pytest.fixture(autouse=True)
    def use(self, postgres: PostgresServer) -> None:
        self.server = postgres
        self.name = f"team/contract-{next(_NUMBERS)}"

    def make_backend(self) -> StateBackend:
        url = parse_state_url(self.server.url(f"states/{self.name}")).named()
        return PostgresBackend(url, clock=FakeClock(), allow_http=False)

    def age_lease(self, backend: StateBackend) -> None:
        """Its machine is gone."""
        end_sessions(self.server)


# -- the lock


def test_the_lock_of_a_killed_process_is_free_at_once(postgres: PostgresServer, open_store: Open) -> None:
    store = open_store()
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLDS, postgres.url(store.shown.rpartition("/states/")[2].join(("states/", "")))],
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    with pytest.raises(StateLocked, match="ana on runner-1"):
        store.acquire(HOLDER)
    child.send_signal(signal.SIGKILL)
    child.wait(10)
    child.stdout.close()
    for _ in range(100):  # until the server has noticed
        if store.holder() is None:
            break
        postgres.run("SELECT pg_sleep(0.05)")
    assert store.acquire(HOLDER).taken_from == HOLDER


_HOLDS = f"""
import sys, time
from scenario_apply.state.state_url import parse_state_url
from scenario_apply.state.stores.lock import Holder
from scenario_apply.state.stores.remote.postgres_backend import PostgresBackend
from tests.fakes.clock import FakeClock
backend = PostgresBackend(parse_state_url(sys.argv[1]), clock=FakeClock(), allow_http=False)
backend.acquire({HOLDER!r})
print("held", flush=True)
time.sleep(60)
"""


def test_a_broken_connection_ends_the_lease(postgres: PostgresServer, open_store: Open) -> None:
    """No call can be recorded any more; what is under way can, and the lock is free."""
    store = open_store()
    lease = store.acquire(HOLDER)
    store.put_call("train-1", b"{}", is_new=True)
    first = store.write(b"one", replacing=None)
    assert store.renew(lease) == lease
    end_sessions(postgres)
    with pytest.raises(LeaseLost, match="was lost"):
        store.put_call("train-2", b"{}", is_new=True)
    with pytest.raises(LeaseLost):
        store.renew(lease)
    store.write(b"two", replacing=first)
    store.release(lease)
    with pytest.raises(LeaseLost):  # also after the release, and though another session would take it
        store.put_call("train-2", b"{}", is_new=True)
    other = open_store()
    assert other.calls() == [("train-1", b"{}")]
    assert other.acquire(HOLDER).taken_from == HOLDER


def test_force_unlock_ends_the_session_that_holds_the_lock(open_store: Open) -> None:
    store, other = open_store(), open_store()
    lease = store.acquire(HOLDER)
    assert other.holder() == HOLDER
    assert other.break_lock() == HOLDER
    assert other.break_lock() is None
    assert other.holder() is None
    other.acquire(with_fields(HOLDER, who="ben"))
    with pytest.raises(LeaseLost):
        store.put_call("train-1", b"{}", is_new=True)
    store.release(lease)
    holder = store.holder()
    assert holder is not None
    assert holder.who == "ben"  # the broken run took nothing of the next one away


def test_a_lock_of_another_user_is_broken_only_with_the_right_to(postgres: PostgresServer, open_store: Open) -> None:
    store = open_store()
    store.acquire(HOLDER)
    postgres.run(
        f"CREATE ROLE weak LOGIN PASSWORD '{PASSWORD}'",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO weak",
    )
    name = store.shown.rpartition("/")[2]
    text = refusal(open_store(postgres.url(f"states/{name}", "weak")).break_lock)
    assert "may not end the session of ana on runner-1" in text
    assert "SELECT pg_terminate_backend(" in text
    assert store.holder() == HOLDER


def test_a_released_lock_leaves_nothing(postgres: PostgresServer, open_store: Open) -> None:
    store, other = open_store(), open_store()
    for backend in (store, other, store):
        lease = backend.acquire(HOLDER)
        assert lease.taken_from is None
        with pytest.raises(StateLocked):
            backend.acquire(HOLDER)  # a session could take its own lock twice
        backend.release(lease)
    assert postgres.run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_equal_names_in_two_schemas_are_two_states(postgres: PostgresServer, database: str, open_store: Open) -> None:
    """Advisory locks are those of a whole database."""
    for team in ("reds", "blues"):
        postgres.run(f"CREATE ROLE {team} LOGIN PASSWORD '{PASSWORD}'")
        postgres.run(f"CREATE SCHEMA {team} AUTHORIZATION {team}", database=database)
    reds, blues = (open_store(postgres.url(f"{database}/kael", team)) for team in ("reds", "blues"))
    reds.acquire(HOLDER)
    blues.acquire(HOLDER)
    reds.write(b"red", replacing=None)
    assert blues.read() is None


def test_one_of_a_hundred_first_contenders_wins(postgres: PostgresServer, database: str, open_store: Open) -> None:
    """On an empty database, whose tables they all would make, at a server that takes thirty at a time."""
    postgres.run(f"ALTER DATABASE {database} CONNECTION LIMIT 30")
    stores = [open_store(postgres.url(f"{database}/kael")) for _ in range(100)]

    def contend(store: PostgresBackend) -> str:
        try:
            store.acquire(HOLDER)
        except ScenarioApplyError as error:
            return error.code
        return "won"

    with ThreadPoolExecutor(100) as threads:
        ends = list(threads.map(contend, stores))
    assert sorted(set(ends)) == ["state-locked", "won"]
    assert ends.count("won") == 1
    versions = {store.write(b"first", replacing=None) for store in stores[:5]}
    assert len(versions) == 1  # of the first; equal bytes are not stale


def test_a_replica_is_refused(open_store: Open) -> None:
    """It takes advisory locks, which stop no run at the primary."""

    def fill(server: PostgresServer) -> None:
        primary = open_store(server.url("states/kael"))
        primary.write(b"one", replacing=None)
        primary.close()

    with running_replica(fill) as replica:
        store = open_store(replica.url("states/kael"))
        assert store.read() is not None
        assert "read-only replica" in refusal(lambda: store.acquire(HOLDER))
        assert "read-only" in refusal(lambda: store.write(b"two", replacing="1"))
        store.close()


def test_a_pool_that_shares_sessions_is_refused(postgres: PostgresServer, open_store: Open) -> None:
    """The lock would be another client's; a pool of whole sessions is as good as the server."""
    store = open_store()
    store.write(b"one", replacing=None)
    name = store.shown.rpartition("/")[2]
    for mode in ("transaction", "session"):
        with running_pooler(postgres, mode) as url:
            pooled = open_store(url(f"states/{name}"))
            held = pooled.read()
            assert held is not None
            if mode == "transaction":
                assert "connection pooler that shares sessions" in refusal(partial(pooled.acquire, HOLDER))
                assert open_store().holder() is None
            else:
                lease = pooled.acquire(HOLDER)
                pooled.put_call("train-1", b"{}", is_new=True)
                assert open_store().holder() == HOLDER
                pooled.release(lease)
            pooled.close()


# -- reading and writing


def test_a_lost_answer_is_no_stale_write(open_store: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write was carried out and the connection broke before the answer."""
    store = open_store()
    store.write(b"one", replacing=None)
    held = store.read()
    assert held is not None
    run = PostgresSession.run

    def cut(self: PostgresSession, sql: Any, *rest: Any, **needs: Any) -> list[tuple[Any, ...]]:
        rows = run(self, sql, *rest, **needs)
        if "UPDATE scenario_apply_states" in sql:
            monkeypatch.undo()
            self.close()
            raise SessionBroken("cut")
        return rows

    monkeypatch.setattr(PostgresSession, "run", cut)
    version = store.write(b"two", replacing=held.version)
    assert open_store().read() == (b"two", version)
    with pytest.raises(StaleWrite, match="was written by another process"):
        store.write(b"three", replacing=held.version)


def test_reading_survives_a_restart_of_the_connection(postgres: PostgresServer, open_store: Open) -> None:
    store = open_store()
    version = store.write(b"one", replacing=None)
    end_sessions(postgres)
    assert store.read() == (b"one", version)


def test_a_stricter_isolation_of_the_database_changes_nothing(
    postgres: PostgresServer, database: str, open_store: Open
) -> None:
    """A write that waited for another one, which was carried out, is a stale one, and no failure of a transaction."""
    postgres.run(f"ALTER DATABASE {database} SET default_transaction_isolation = 'serializable'")
    store = open_store(postgres.url(f"{database}/kael"))
    first = store.write(b"one", replacing=None)
    waiting = f"SELECT 1 FROM pg_stat_activity WHERE datname = '{database}' AND wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as threads, postgres.connect(database) as other:
        other.execute("BEGIN")
        other.execute("UPDATE scenario_apply_states SET version = 'theirs'")
        writing = threads.submit(store.write, b"two", replacing=first)
        for _ in range(200):
            if postgres.run(waiting):
                break
            postgres.run("SELECT pg_sleep(0.02)")
        other.execute("COMMIT")
        with pytest.raises(StaleWrite):
            writing.result(30)


@pytest.mark.parametrize("name", ["x'; DROP TABLE scenario_apply_states; --", '"%s"', "%(name)s", "a\\'b", "ключ/№ 1"])
def test_a_name_is_no_part_of_a_statement(open_store: Open, name: str) -> None:
    store = open_store()
    store.write(b"kept", replacing=None)
    odd = open_store(replace(store._url, path=name))
    odd.acquire(with_fields(HOLDER, command=f"apply {name} \udcff"))
    odd.write(b"odd", replacing=None)
    odd.put_call(name, b"call", is_new=True)
    odd.keep_backup(1, b"odd")
    odd.delete_calls([name])
    assert odd.read() is not None
    assert store.read() is not None
    assert store.holder() is None


def test_a_server_that_does_not_answer_is_given_up(
    postgres: PostgresServer, open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    store.write(b"one", replacing=None)
    monkeypatch.setattr(postgres_session, "_ANSWER_WITHIN_S", 0.2)
    monkeypatch.setattr(PostgresBackend, "_opened", lambda self: self._session)  # no second try
    (pid,) = postgres.run(
        "SELECT pid FROM pg_stat_activity WHERE usename = 'keeper' ORDER BY backend_start DESC LIMIT 1"
    )[0]
    subprocess.run(["kill", "-STOP", str(pid)], check=True)
    try:
        assert "the connection to postgres://" in refusal(store.read)
    finally:
        subprocess.run(["kill", "-CONT", str(pid)], check=True)


# -- rights and refusals


def test_a_reader_needs_no_right_to_write(postgres: PostgresServer, database: str, open_store: Open) -> None:
    """Each refusal names the privilege that is missing."""
    postgres.run(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
    url = postgres.url(f"{database}/kael", "reader")
    assert open_store(url).read() is None
    assert "lacks the privilege CREATE ON SCHEMA public" in refusal(lambda: open_store(url).acquire(HOLDER))
    owner = open_store(postgres.url(f"{database}/kael"))
    owner.write(b"one", replacing=None)
    owner.put_call("train-1", b"{}", is_new=True)
    reader = open_store(url)
    assert "GRANT SELECT ON scenario_apply_states TO" in refusal(reader.read)
    postgres.run(
        "GRANT SELECT ON scenario_apply_states, scenario_apply_calls, scenario_apply_leases TO reader",
        database=database,
    )
    held = reader.read()
    assert held is not None
    assert held.content == b"one"
    assert reader.calls() == [("train-1", b"{}")]
    assert reader.holder() is None
    assert "INSERT, UPDATE ON scenario_apply_states" in refusal(lambda: reader.write(b"two", replacing=held.version))
    assert "INSERT, UPDATE ON scenario_apply_leases" in refusal(lambda: reader.acquire(HOLDER))
    assert owner.acquire(HOLDER).taken_from is None  # what failed half-way holds nothing


def test_a_schema_that_may_not_be_looked_into_is_no_missing_state(
    postgres: PostgresServer, database: str, open_store: Open
) -> None:
    """Else everything would be made and paid for again, in another schema."""
    open_store(postgres.url(f"{database}/kael")).write(b"one", replacing=None)
    postgres.run("REVOKE USAGE ON SCHEMA public FROM PUBLIC", f"CREATE ROLE shut LOGIN PASSWORD '{PASSWORD}'",
                 "CREATE SCHEMA shut AUTHORIZATION shut", database=database)  # fmt: skip
    store = open_store(postgres.url(f"{database}/kael", "shut"))
    for act in (store.read, lambda: store.acquire(HOLDER), lambda: store.write(b"two", replacing=None)):
        assert "GRANT USAGE ON SCHEMA public" in refusal(act)


def test_what_a_connection_is_refused_for(postgres: PostgresServer, open_store: Open) -> None:
    """Without the password, the user, or the server's own words."""
    wrong = parse_state_url(postgres.url("states/kael", password=f"{PASSWORD}-2"))
    assert "does not accept this user and password" in refusal(open_store(wrong).read)
    assert "asks for a password" in refusal(open_store(replace(wrong, password=None)).read)
    assert "no such database" in refusal(open_store(postgres.url("elsewhere/kael")).read)
    assert "nothing listens there" in refusal(open_store("postgres://127.0.0.1:1/states/kael").read)
    assert "host not found" in refusal(open_store("postgres://nowhere.invalid/states/kael").read)


def test_the_environment_says_what_the_url_does_not(
    postgres: PostgresServer, open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("HOST", "127.0.0.1"),
        ("PORT", str(postgres.port)),
        ("USER", "keeper"),
        ("PASSWORD", PASSWORD),
    ):
        monkeypatch.setenv(f"PG{name}", value)
    store = open_store("postgres:///states/by-environment")
    store.write(b"one", replacing=None)
    assert store.shown == "postgres:///states/by-environment"
    monkeypatch.setenv("PGSSLMODE", "require")
    assert "offers no encryption" in refusal(open_store("postgres:///states/by-environment").read)


def test_no_password_of_the_environment_goes_to_a_server_that_only_a_manifest_names(
    postgres: PostgresServer, open_store: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither from a variable nor from a password file: the right password would open the door here."""
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"*:*:*:*:{PASSWORD}\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    url = parse_state_url(f"postgres://keeper@127.0.0.1:{postgres.port}/states/unnamed")
    assert open_store(url.named()).read() is None
    text = refusal(lambda: open_store(url).read())
    assert "asks for a password, and none is set -- a server that only the manifest names gets no password" in text
