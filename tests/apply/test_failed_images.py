"""apply/ledger.py: what failed about an image is named by its picture, not by an asset id."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.errors import Refused
from scenario_apply.model.ports import Sending
from scenario_apply.model.remote import AssetId
from tests.fakes.bench import Bench, model
from tests.fakes.service import FakeScenario


class Firewall(FakeScenario):
    """In front of the service is one that dislikes a word."""

    def set_caption(self, asset_id: AssetId, caption: str, *, sending: Sending | None = None) -> str | None:
        if "select" in caption:
            raise Refused(f"caption asset {asset_id}: 403 Forbidden (HTTP 403)", status=403)
        return super().set_caption(asset_id, caption, sending=sending)


@pytest.mark.parametrize(
    ("captions", "what"),
    [
        (["KAEL", "KAEL, select * from"], "caption 02.png"),
        (["select 1", "KAEL", "select 3"], "2 captions (01.png, 03.png)"),
        ([f"select {n}" for n in range(5)], "5 captions (01.png, 02.png, 03.png and 2 more)"),
    ],
)
def test_a_refused_caption_is_named_by_its_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, captions: list[str], what: str
) -> None:
    """Several that were refused for one reason are one line."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)  # it is about power, and only costs time here
    bench = Bench(tmp_path)
    bench.add("kael", captions)
    bench.declare(model("kael", "kael"))
    ledger = bench.apply(Firewall(bench.clock))
    assert [(line.what, line.reason) for line in ledger.failed] == [(what, "403 Forbidden (HTTP 403)")]
