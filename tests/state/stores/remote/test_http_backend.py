"""The HTTP state protocol, against a plain server and one with GitLab's answers."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator

import pytest

from scenario_apply.errors import StateLocked
from scenario_apply.model import codec
from scenario_apply.state.state_url import parse_state_url
from scenario_apply.state.stores.lock import Holder
from scenario_apply.state.stores.remote.backend import Lease, LeaseLost, StaleWrite, StoreUnavailable
from scenario_apply.state.stores.remote.http_backend import HttpBackend
from tests.fakes.clock import FakeClock
from tests.fakes.state_server import (
    ENDLESS,
    Answer,
    Fault,
    StateServer,
    answering,
    carried_out,
    cut,
    hidden,
    lost,
    serving_states,
)

JANE = Holder(who="jane", host="runner-1", pid=71, since="2026-11-27T09:00:00Z", command="scenario-apply apply")
JOHN = Holder(who="john", host="runner-2", pid=72, since="2026-11-27T09:01:00Z", command="scenario-apply destroy")


@pytest.fixture(params=["plain", "gitlab"])
def server(request: pytest.FixtureRequest) -> Iterator[StateServer]:
    with serving_states(StateServer(is_gitlab=request.param == "gitlab")) as state:
        yield state


@pytest.fixture
def gitlab() -> Iterator[StateServer]:
    with serving_states(StateServer(is_gitlab=True)) as state:
        yield state


@pytest.fixture
def plain() -> Iterator[StateServer]:
    with serving_states(StateServer()) as state:
        yield state


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ADDRESS", "LOCK_ADDRESS", "UNLOCK_ADDRESS", "LOCK_METHOD", "USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"TF_HTTP_{name}", raising=False)
    monkeypatch.delenv("CI_JOB_TOKEN", raising=False)


def backend(server: StateServer) -> HttpBackend:
    return HttpBackend(parse_state_url(server.url).named(), clock=FakeClock(), allow_http=False)


def state(serial: int, **more: object) -> bytes:
    return codec.document({"format_version": "1.0", "lineage": "l-1", "serial": serial, "resources": {}, **more})


def lease_of(run: HttpBackend) -> Lease:
    return Lease(token=str(run._lock.id), valid_s=None)


def begun(server: StateServer, *, lock: bool = True) -> tuple[HttpBackend, str]:
    """A run that holds the lock and has written its first state; and that state's version."""
    run = backend(server)
    if lock:
        run.acquire(JANE)
    return run, run.write(state(1), replacing=None)


class TestDocument:
    def test_what_is_written_is_read_as_it_was(self, server: StateServer) -> None:
        run, version = begun(server)
        assert backend(server).read() == (state(1), version)
        version = run.write(state(2), replacing=version)
        assert backend(server).read() == (state(2), version)

    def test_no_state_yet(self, server: StateServer) -> None:
        """404 for an unknown name, 204 for one that was locked only."""
        run = backend(server)
        assert run.read() is None
        run.acquire(JANE)
        assert run.read() is None

    def test_a_first_write_over_a_state_is_refused(self, server: StateServer) -> None:
        begun(server)
        content = server.content()
        with pytest.raises(StaleWrite):
            backend(server).write(state(9), replacing=None)
        assert server.content() == content

    def test_a_write_over_somebody_elses_is_refused(self, server: StateServer) -> None:
        run, version = begun(server, lock=False)
        server.put(state(5, project="theirs"))
        with pytest.raises(StaleWrite, match="written by another process"):
            run.write(state(2), replacing=version)
        assert server.content() == state(5, project="theirs")

    def test_a_document_that_was_laid_out_anew_is_the_same(self, plain: StateServer) -> None:
        """Some servers keep JSON, not bytes."""
        run, version = begun(plain)
        plain.put(json.dumps(json.loads(state(1))).encode())
        run.write(state(2), replacing=version)
        assert plain.content() == state(2)

    def test_gitlab_is_asked_once_while_the_lock_is_held(self, gitlab: StateServer) -> None:
        """It compares the id of the lock with each write, so nothing can have changed."""
        run, version = begun(gitlab)
        for number in range(2, 9):
            version = run.write(state(number), replacing=version)
        assert (gitlab.count("GET"), len(gitlab.versions)) == (1, 8)

    def test_earlier_versions_are_gitlabs(self, gitlab: StateServer) -> None:
        run, version = begun(gitlab)
        run.put_call("c-1", b"{}", is_new=True)
        run.write(state(4), replacing=version)
        found = list(backend(gitlab).backups())
        assert found == [(f"{gitlab.url}/versions/2", state(2)), (f"{gitlab.url}/versions/1", state(1))]

    def test_the_lock_goes_along_with_a_write(self, server: StateServer) -> None:
        run = backend(server)
        lease = run.acquire(JANE)
        run.write(state(1), replacing=None)
        assert [seen.query for seen in server.requests][-1] == {"ID": lease.token}


class TestLostAnswers:
    def test_a_write_that_arrived_is_not_sent_again(self, server: StateServer) -> None:
        run, version = begun(server)
        sent = server.count("POST")
        server.faults["POST"] = [lost]
        run.write(state(2), replacing=version)
        assert server.content() == state(2)
        assert server.count("POST") == sent + 1

    @pytest.mark.parametrize("status", [409, 412])
    def test_a_write_that_arrived_and_was_refused_the_second_time_is_ours(
        self, server: StateServer, status: int
    ) -> None:
        """A proxy in between sent it twice; a refusal of one that did not arrive stays a refusal."""

        def twice(carry_out: Callable[[], Answer]) -> Answer:
            carry_out()
            return status, {}, b""

        run, version = begun(server)
        server.faults["POST"] = [twice]
        version = run.write(state(2), replacing=version)
        assert server.content() == state(2)
        server.faults["POST"] = [answering(status)]
        with pytest.raises(StoreUnavailable, match=str(status)):
            run.write(state(3), replacing=version)
        assert server.content() == state(2)

    def test_a_write_that_did_not_arrive_is_sent_again(self, server: StateServer) -> None:
        run, version = begun(server)
        server.faults["POST"] = [cut, answering(503)]
        run.write(state(2), replacing=version)
        assert server.content() == state(2)

    def test_what_another_wrote_meanwhile_is_not_overwritten(self, server: StateServer) -> None:
        run, version = begun(server)

        def overtaken(_: object) -> None:
            server.put(state(7, project="theirs"))

        server.faults["POST"] = [overtaken]
        with pytest.raises(StaleWrite):
            run.write(state(2), replacing=version)
        assert server.content() == state(7, project="theirs")

    def test_a_write_given_up_is_known_as_ours_once_the_server_is_back(self, server: StateServer) -> None:
        """What may have been written is no other run's state."""
        run, version = begun(server)
        server.faults["POST"] = [lost]
        server.faults["GET"] = [*([] if server.is_gitlab else [carried_out]), *[answering(500)] * 6]
        with pytest.raises(StoreUnavailable, match="answered 500"):
            run.write(state(2), replacing=version)
        run.write(state(3), replacing=version)
        assert server.content() == state(3)

    def test_a_serial_that_gitlab_has_already_is_looked_up(self, gitlab: StateServer) -> None:
        """The answer to the first attempt was an error of a proxy, the second is refused for its serial."""
        run, version = begun(gitlab)
        held: list[bytes] = []

        def hidden(carry_out: object) -> tuple[int, dict[str, str], bytes]:
            held.append(gitlab.requests[-1].body)
            return 502, {}, b""

        def arrived(_: object) -> tuple[int, dict[str, str], bytes]:
            gitlab.put(held[0])
            return 422, {}, b""

        gitlab.faults["POST"] = [hidden, arrived]
        run.write(state(2), replacing=version)
        assert gitlab.content() == state(2)


class TestOpenCalls:
    def test_calls_lie_beside_the_state_and_are_not_part_of_it(self, server: StateServer) -> None:
        run, version = begun(server)
        run.put_call("c-1", b'{"n": 1}', is_new=True)
        run.put_call("c-2", b'{"n": 2}', is_new=True)
        assert backend(server).calls() == [("c-1", b'{"n": 1}'), ("c-2", b'{"n": 2}')]
        read = backend(server).read()
        assert read is not None
        assert json.loads(read.content) == json.loads(state(run.written_serial))
        assert run.read() == (read.content, version)

    def test_a_call_leaves_the_version_of_the_state_as_it_is(self, server: StateServer) -> None:
        run, version = begun(server)
        run.put_call("c-1", b"{}", is_new=True)
        run.write(state(run.written_serial + 1), replacing=version)
        assert backend(server).calls() == [("c-1", b"{}")]

    def test_every_document_takes_a_higher_serial(self, gitlab: StateServer) -> None:
        """GitLab refuses a serial that it has, and gives out the highest."""
        run, version = begun(gitlab)
        for name in ("c-1", "c-2"):
            run.put_call(name, b"{}", is_new=True)
        run.delete_calls(["c-1", "c-2", "c-3"])
        assert sorted(gitlab.versions) == [1, 2, 3, 4]
        assert run.written_serial == 4
        run.write(state(2), replacing=version)  # whoever does not ask for the serial
        assert sorted(gitlab.versions) == [1, 2, 3, 4, 5]
        assert gitlab.content() == state(5)

    def test_deleted_calls_leave_the_state_as_it_was_written(self, server: StateServer) -> None:
        run, _ = begun(server)
        run.put_call("c-1", b"{}", is_new=True)
        run.delete_calls(["c-1"])
        assert server.content() == state(3)

    def test_calls_that_are_not_there_cost_no_write(self, server: StateServer) -> None:
        run, _ = begun(server)
        sent = server.count("POST")
        run.delete_calls(["c-1"])
        assert server.count("POST") == sent

    def test_a_call_of_the_same_name_is_not_overwritten(self, server: StateServer) -> None:
        run, _ = begun(server)
        run.put_call("c-1", b"{}", is_new=True)
        run.put_call("c-1", b"{}", is_new=True)  # the same again: an answer was lost
        with pytest.raises(StaleWrite):
            run.put_call("c-1", b'{"other": 1}', is_new=True)
        run.put_call("c-1", b'{"other": 2}', is_new=False)
        assert run.calls() == [("c-1", b'{"other": 2}')]

    def test_a_call_is_kept_before_there_is_a_state(self, server: StateServer) -> None:
        run = backend(server)
        run.acquire(JANE)
        run.put_call("c-1", b"{}", is_new=True)
        assert backend(server).read() is None
        run.write(state(1), replacing=None)
        assert backend(server).calls() == [("c-1", b"{}")]

    def test_no_call_is_recorded_over_another_runs_document(self, server: StateServer) -> None:
        """Whoever lost the lock must not put what it knows in place of what the other recorded."""
        run, _ = begun(server, lock=False)
        server.put(state(9, open_calls={"theirs": "{}"}))
        with pytest.raises(StaleWrite):
            run.put_call("ours", b"{}", is_new=True)
        assert backend(server).calls() == [("theirs", b"{}")]

    def test_threads_share_a_request(self, server: StateServer) -> None:
        """Calls that are recorded while a write is under way go together with the next one."""
        run, _ = begun(server)
        waiting, go = threading.Event(), threading.Event()

        def slow(seen: object) -> None:
            if not waiting.is_set() and getattr(seen, "method", "") == "POST":
                waiting.set()
                assert go.wait(10)

        sent = server.count("POST")
        server.before = slow
        threads = [threading.Thread(target=run.put_call, args=("c-0", b"{}"), kwargs={"is_new": True})]
        threads[0].start()
        assert waiting.wait(10)
        for number in range(1, 9):
            threads.append(threading.Thread(target=run.put_call, args=(f"c-{number}", b"{}"), kwargs={"is_new": True}))
            threads[-1].start()
        while len(run._queue) < 8:  # all of them have asked
            threading.Event().wait(0.001)
        go.set()
        for thread in threads:
            thread.join(10)
        assert [name for name, _ in run.calls()] == [f"c-{number}" for number in range(9)]
        assert server.count("POST") == sent + 2

    @pytest.mark.parametrize("calls", [[], {"c-1": 1}, {"../c": "{}"}, "x"])
    def test_damaged_calls_are_an_error_and_stay(self, server: StateServer, calls: object) -> None:
        server.put(state(1, open_calls=calls))
        content = server.content()
        with pytest.raises(Exception, match="is damaged: open_calls"):
            backend(server).read()
        assert server.content() == content


class TestLock:
    def test_one_run_at_a_time(self, server: StateServer) -> None:
        run = backend(server)
        lease = run.acquire(JANE)
        with pytest.raises(StateLocked) as caught:
            backend(server).acquire(JOHN)
        assert "runner-1 (process 71)" in str(caught.value)
        assert "does not expire" in str(caught.value.problems[0].hint)
        run.release(lease)
        backend(server).acquire(JOHN)

    def test_the_holder_is_who_the_server_says(self, plain: StateServer, gitlab: StateServer) -> None:
        """GitLab says user and time, and not what the holder does: the rest of its answer is the asker's own."""
        for server in (plain, gitlab):
            backend(server).acquire(JANE)
        assert backend(plain).holder() == JANE
        assert str(backend(gitlab).holder()) == "anonymous on runner-1 (process 71) since 2026-11-27T10:00:00.000Z"

    def test_nobody_holds_it(self, server: StateServer) -> None:
        assert backend(server).holder() is None
        assert server.lock is None

    @pytest.mark.parametrize("fault", [lost, cut, answering(502)])
    def test_a_lock_whose_answer_was_lost_is_ours(self, server: StateServer, fault: Fault) -> None:
        server.faults["POST" if server.is_gitlab else "LOCK"] = [fault]
        run = backend(server)
        lease = run.acquire(JANE)
        assert server.lock is not None
        assert server.lock["ID"] == lease.token
        run.release(lease)
        assert server.lock is None

    def test_renewing_says_that_it_is_still_ours(self, server: StateServer) -> None:
        run, _ = begun(server)
        held = server.lock
        assert run.renew(lease_of(run)) == lease_of(run)
        assert server.lock == held

    def test_a_lock_that_was_broken_is_lost(self, server: StateServer) -> None:
        run, _ = begun(server)
        lease = lease_of(run)
        server.lock = None
        with pytest.raises(LeaseLost, match="force-unlock"):
            run.renew(lease)
        assert server.lock is None
        with pytest.raises(LeaseLost):
            run.renew(lease)

    def test_once_the_lock_is_lost_nothing_is_written_also_where_it_is_free(self, server: StateServer) -> None:
        """Another thread may have noticed it: no call is recorded any more, so that none is sent."""
        run, version = begun(server)
        server.lock = None
        with pytest.raises(LeaseLost):
            run.renew(lease_of(run))
        content = server.content()
        with pytest.raises(LeaseLost):
            run.put_call("run-1", b"{}\n", is_new=True)
        with pytest.raises(LeaseLost):
            run.write(state(2), replacing=version)
        assert server.content() == content

    def test_a_lock_of_another_run_is_lost(self, server: StateServer) -> None:
        run, _ = begun(server)
        lease = lease_of(run)
        backend(server).break_lock()
        backend(server).acquire(JOHN)
        with pytest.raises(LeaseLost, match="runner-2"):
            run.renew(lease)
        run.release(lease)
        assert server.lock is not None

    def test_a_write_without_the_lock_is_refused_by_name(self, server: StateServer) -> None:
        """GitLab answers 500 to it."""
        run, version = begun(server)
        backend(server).break_lock()
        backend(server).acquire(JOHN)
        content = server.content()
        with pytest.raises(LeaseLost, match="runner-2"):
            run.write(state(2), replacing=version)
        assert server.content() == content

    def test_a_server_that_gives_a_lock_twice_shows_it_by_the_document(self, plain: StateServer) -> None:
        plain.gives_lock_again = True
        run, _ = begun(plain)
        lease = lease_of(run)
        run.renew(lease)
        plain.put(state(8))
        with pytest.raises(LeaseLost, match="written by another run"):
            run.renew(lease)

    def test_breaking_names_whose_it_was(self, server: StateServer) -> None:
        backend(server).acquire(JANE)
        broken = backend(server).break_lock()
        assert broken is not None
        assert broken.pid == JANE.pid
        assert server.lock is None
        assert backend(server).break_lock() is None

    def test_terraforms_own_lock_is_named_and_broken(self, plain: StateServer) -> None:
        plain.lock = {
            "ID": "6d",
            "Operation": "OperationTypeApply",
            "Who": "tim@desk",
            "Created": "2026-11-27T08:00:00Z",
        }
        with pytest.raises(StateLocked, match="tim on desk since 2026-11-27T08:00:00Z: OperationTypeApply"):
            backend(plain).acquire(JANE)
        backend(plain).break_lock()
        assert plain.lock is None

    def test_releasing_leaves_the_lock_of_another(self, server: StateServer) -> None:
        run = backend(server)
        lease = run.acquire(JANE)
        backend(server).break_lock()
        backend(server).acquire(JOHN)
        run.release(lease)
        assert server.lock is not None

    def test_a_lock_that_cannot_be_given_back_is_reported_with_the_way_out(self, server: StateServer) -> None:
        run = backend(server)
        lease = run.acquire(JANE)
        server.faults["DELETE" if server.is_gitlab else "UNLOCK"] = [answering(503)] * 9
        with pytest.raises(StoreUnavailable, match="could not be unlocked") as caught:
            run.release(lease)
        assert "does not expire" in str(caught.value.problems[0].hint)

    def test_a_server_without_locks_is_refused(self, plain: StateServer) -> None:
        plain.can_lock = False
        with pytest.raises(StoreUnavailable, match="cannot lock: it answered LOCK with 405"):
            backend(plain).acquire(JANE)

    def test_a_server_that_gives_everybody_the_lock_is_refused(self, plain: StateServer) -> None:
        plain.gives_any_lock = True
        with pytest.raises(StoreUnavailable, match="does not lock: it gave the same lock twice"):
            backend(plain).acquire(JANE)


class TestRefusals:
    def test_a_token_that_may_read_only(self, server: StateServer, monkeypatch: pytest.MonkeyPatch) -> None:
        server.users = {"dev": ("token-of-dev", False)}
        monkeypatch.setenv("TF_HTTP_USERNAME", "dev")
        monkeypatch.setenv("TF_HTTP_PASSWORD", "token-of-dev")
        assert backend(server).read() is None
        with pytest.raises(StoreUnavailable, match=r"could not be locked: the server answered 403 \(403 Forbidden\)"):
            backend(server).acquire(JANE)

    def test_no_credentials(self, server: StateServer) -> None:
        server.users = {"dev": ("token-of-dev", False)}
        with pytest.raises(StoreUnavailable, match="could not be read: the server answered 401") as caught:
            backend(server).read()
        assert "TF_HTTP_USERNAME" in str(caught.value.problems[0].hint)

    def test_wrong_credentials(self, server: StateServer, monkeypatch: pytest.MonkeyPatch) -> None:
        server.users = {"dev": ("token-of-dev", False)}
        monkeypatch.setenv("TF_HTTP_USERNAME", "dev")
        monkeypatch.setenv("TF_HTTP_PASSWORD", "token-of-another")
        with pytest.raises(StoreUnavailable, match="answered 401") as caught:
            backend(server).read()
        assert "does not take this user" in str(caught.value.problems[0].hint)
        assert "token-of" not in str(caught.value)

    def test_a_project_that_may_not_be_seen_is_not_an_empty_state(self, gitlab: StateServer) -> None:
        """Else a plan would create everything again."""
        gitlab.url = gitlab.url.replace("projects/1", "projects/2")
        with pytest.raises(StoreUnavailable, match=r"answered 404 \(404 Project Not Found\)"):
            backend(gitlab).read()

    def test_a_secret_that_a_server_repeats_is_hidden(
        self, server: StateServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TF_HTTP_USERNAME", "dev")
        monkeypatch.setenv("TF_HTTP_PASSWORD", "token-of-dev")
        server.faults["GET"] = [answering(400, b'{"message": "bad token token-of-dev"}')]
        with pytest.raises(StoreUnavailable, match=r"\(bad token \*\*\*\)"):
            backend(server).read()

    def test_a_redirect_is_not_followed(self, server: StateServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another host must not get the password."""
        monkeypatch.setenv("TF_HTTP_USERNAME", "dev")
        monkeypatch.setenv("TF_HTTP_PASSWORD", "token-of-dev")
        with serving_states(StateServer()) as other:
            server.faults["GET"] = [answering(307, headers={"Location": other.url})]
            with pytest.raises(StoreUnavailable, match="redirects to another address"):
                backend(server).read()
            assert other.requests == []

    def test_a_web_page_is_no_state(self, server: StateServer) -> None:
        server.faults["GET"] = [answering(200, b"<!doctype html><title>Sign in</title>")]
        with pytest.raises(StoreUnavailable, match="answered with a web page"):
            backend(server).read()

    def test_an_answer_without_an_end_is_given_up(self, server: StateServer) -> None:
        server.faults["GET"] = [answering(200, ENDLESS)]
        with pytest.raises(StoreUnavailable, match="an answer without end"):
            backend(server).read()

    def test_errors_that_pass_are_waited_for(self, server: StateServer) -> None:
        begun(server)
        server.faults["GET"] = [answering(500), cut, answering(429, headers={"Retry-After": "7"})]
        clock = FakeClock()
        reader = HttpBackend(parse_state_url(server.url).named(), clock=clock, allow_http=False)
        assert reader.read() is not None
        assert len(clock.waits) == 3
        assert clock.waits[-1] == 7

    def test_an_answer_that_was_damaged_on_the_way_is_read_again(self, server: StateServer) -> None:
        begun(server)
        checksum = {"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
        server.faults["GET"] = [answering(200, state(1)[:-9], checksum)]
        read = backend(server).read()
        assert read is not None
        assert read.content == state(1)

    def test_a_server_that_is_gone(self, server: StateServer) -> None:
        run = backend(server)
        run.read()
        server.faults["GET"] = [answering(503)] * 9
        with pytest.raises(StoreUnavailable, match="answered 503"):
            run.read()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_goes_wrong_what_was_recorded_is_there(server: StateServer, seed: int) -> None:
    """Writes and calls with lost, cut and refused requests in between: no record of what returned is lost, none comes
    back, and nothing of our own is taken for another run's."""
    dice = random.Random(seed)
    run = backend(server)
    run.acquire(JANE)
    version: str | None = None
    project, calls, unsure = "", set[str](), set[str]()
    for number in range(1, 25):
        for method in ("GET", "POST"):
            faults = [lost, cut, hidden, answering(500), answering(429), carried_out]
            server.faults[method] = dice.choices(faults, weights=(2, 2, 2, 1, 1, 8), k=dice.choice((1, 3, 9)))
        name = f"c-{number}"
        try:
            match dice.choice(("write", "put", "put", "delete")):
                case "write":
                    unsure.add("state")
                    version = run.write(state(run.written_serial + 1, project=f"p{number}"), replacing=version)
                    project = f"p{number}"
                    unsure.discard("state")
                case "put" if version is not None:
                    unsure.add(name)
                    run.put_call(name, b"{}", is_new=True)
                    unsure.discard(name)
                    calls.add(name)
                case "delete" if calls:
                    gone = dice.choice(sorted(calls))
                    calls.discard(gone)
                    unsure.add(gone)
                    run.delete_calls([gone])
                    unsure.discard(gone)
        except StoreUnavailable:
            continue
    server.faults.clear()
    found = {name for name, _ in backend(server).calls()}
    assert calls <= found <= calls | unsure
    if version is not None:
        read = backend(server).read()
        assert read is not None
        assert json.loads(read.content)["project"] == project or "state" in unsure
        run.write(state(run.written_serial + 1, project="last"), replacing=version)
