"""apply.export.weights_download: one file, continued where it broke, and never joined from two."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from scenario_apply.apply.export import weights_download
from scenario_apply.apply.export.weights_download import AddressesGone, FileDownload, Stated, WholeFile
from scenario_apply.apply.export.weights_record import WeightsError
from scenario_apply.dataset.scan.web_files import WebReader
from scenario_apply.model.remote_urls import RemoteAccess
from scenario_apply.model.secret import Secret
from scenario_apply.state.stores.own_files import own_folder
from tests.apply.export.file_server import FileServer, file_server
from tests.fakes.clock import FakeClock

CONTENT = bytes(range(256)) * 1200


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with file_server(CONTENT) as served:
        yield served


class Run:
    """Downloads into a folder, and what it noted on the way."""

    def __init__(self, folder: Path, server: FileServer) -> None:
        self.folder = folder
        self.server = server
        self.clock = FakeClock()
        self.stated = Stated()
        self.addresses = 0
        self.allowed = True

    def __call__(self) -> WholeFile:
        access = RemoteAccess(prefixes=(self.server.url.removesuffix("/file"),), allow_http=True)
        return FileDownload(
            source=WebReader(access, is_signed=True),
            clock=self.clock,
            folder=own_folder(str(self.folder)),
            part="kael-v1.part",
            address=self._address,
            may_ask=lambda _: self.allowed,
            stated=self.stated,
            note=self._note,
            told=lambda there, total: None,
        ).run()

    @property
    def part(self) -> Path:
        return self.folder / "kael-v1.part"

    def _address(self) -> Secret:
        self.addresses += 1
        return Secret(f"{self.server.url}?signature=s{self.addresses}")

    def _note(self, stated: Stated) -> None:
        self.stated = stated


@pytest.fixture
def run(tmp_path: Path, server: FileServer) -> Run:
    return Run(tmp_path, server)


def is_whole(run: Run, found: WholeFile) -> bool:
    same = run.part.read_bytes() == CONTENT
    return same and (found.size, found.sha256) == (len(CONTENT), sha256(CONTENT).hexdigest())


def test_a_broken_download_is_continued(run: Run) -> None:
    """Each time from where it broke, with the ETag that was stated first."""
    run.server.script = ["cut", "cut", "cut"]
    assert is_whole(run, run())
    ranges = [range_ for range_, _ in run.server.asked]
    assert ranges[0] is None
    assert ranges[1:] == [f"bytes={len(CONTENT) - (len(CONTENT) >> n)}-" for n in (1, 2, 3)]
    assert [tag for _, tag in run.server.asked[1:]] == ['"one"'] * 3
    assert run.clock.waits == []


def test_a_killed_download_is_continued(run: Run) -> None:
    """By the next run, which knows what the server stated to the first."""
    run.part.write_bytes(CONTENT[:1000])
    run.stated = Stated('"one"', len(CONTENT))
    found = run()
    assert is_whole(run, found)
    assert found.resumed == 1000
    assert run.server.asked == [("bytes=1000-", '"one"')]


def test_a_part_of_unknown_origin_is_not_continued(run: Run) -> None:
    run.part.write_bytes(b"something else")
    assert is_whole(run, run())
    assert run.server.asked == [(None, None)]


def test_a_whole_part_is_not_downloaded_again(run: Run) -> None:
    """A run that was killed between the last byte and the file's name."""
    run.part.write_bytes(CONTENT)
    run.stated = Stated('"one"', len(CONTENT))
    assert is_whole(run, run())
    assert run.server.asked == [(f"bytes={len(CONTENT)}-", '"one"')]


def test_a_server_that_ignores_ranges_is_read_from_the_start(run: Run) -> None:
    run.server.script = ["cut", "whole"]
    assert is_whole(run, run())


def test_another_file_is_not_joined_to_the_first(run: Run) -> None:
    """Where the ETag has changed, and, without ETags, where the size has."""
    run.part.write_bytes(b"x" * 1000)
    run.stated = Stated('"older"', len(CONTENT))
    assert is_whole(run, run())
    run.server.etag = ""
    run.part.write_bytes(b"x" * 1000)
    run.stated = Stated("", len(CONTENT) + 1)
    assert is_whole(run, run())


def test_without_an_etag_the_size_decides(run: Run) -> None:
    run.server.etag = ""
    run.server.script = ["cut", "other"]
    assert is_whole(run, run())
    assert [range_ is not None for range_, _ in run.server.asked] == [False, True, False]


def test_a_weak_etag_is_not_trusted_for_a_range(run: Run) -> None:
    """Source: RFC 9110, section 13.1.5."""
    run.server.etag = 'W/"one"'
    run.server.script = ["cut"]
    assert is_whole(run, run())
    assert [tag for _, tag in run.server.asked] == [None, None]


def test_an_expired_address_is_asked_for_again(run: Run) -> None:
    run.server.script = ["cut", "403", "404"]
    assert is_whole(run, run())
    assert run.server.queries == [f"signature=s{n}" for n in (1, 2, 3, 4)]


def test_addresses_that_never_work_end_it(run: Run) -> None:
    """No address and no part of one is in the message."""
    run.server.script = ["403"] * 9
    with pytest.raises(AddressesGone) as error:
        run()
    assert len(run.server.asked) == 3
    assert "signature" not in str(error.value)


def test_a_server_that_is_down_is_tried_a_few_times(run: Run) -> None:
    run.server.script = ["500"] * 50
    with pytest.raises(WeightsError, match="status 500"):
        run()
    assert len(run.server.asked) == 5
    assert run.clock.waits == [1.0, 2.0, 5.0, 10.0]


def test_a_server_that_never_gets_further_ends_it(run: Run) -> None:
    """It ignores ranges and always breaks at the same place."""
    run.server.script = ["cut-whole"] * 50
    with pytest.raises(WeightsError, match="ended early"):
        run()
    assert len(run.server.asked) == 6


def test_a_file_without_a_length_is_read_to_its_end(run: Run) -> None:
    run.server.script = ["no-length"]
    assert is_whole(run, run())


def test_other_hosts_are_not_asked(run: Run) -> None:
    run.allowed = False
    with pytest.raises(WeightsError, match="no host of the service") as error:
        run()
    assert "SCENARIO_APPLY_ALLOW_REMOTE=https://127.0.0.1/" in str(error.value.problems[0].hint)
    assert run.server.asked == []


def test_a_full_disk_and_a_huge_file_are_refused_before_a_byte(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights_download, "SPARE_BYTES", 1 << 60)
    with pytest.raises(WeightsError, match=r"needs [0-9,]{9,} bytes of room"):
        run()
    monkeypatch.setattr(weights_download, "MOST_BYTES", 1000)
    with pytest.raises(WeightsError, match="at most"):
        run()
    assert run.part.read_bytes() == b""


def test_a_link_in_the_place_of_the_part_is_not_followed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    run.part.symlink_to(tmp_path / "mine")
    with pytest.raises(OSError, match="links are not followed"):
        run()
    assert (tmp_path / "mine").read_text() == "precious"
