"""The requests a plan counts are those its apply uses, for every manifest of manifests/; polls and reads apart.

The emulator's own log is the judge: writes are POST, PUT and DELETE but for bulk reads, priced dry runs and parts.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from scenario_apply.__main__ import main
from scenario_apply.emulator.request_log import Logged
from scenario_apply.emulator.thread import EmulatorThread, manual_options

ROOT = Path(__file__).parent.parent / "manifests"
MANIFESTS = (
    "quickstart",
    *sorted(
        str(path.relative_to(ROOT))
        for path in (ROOT / "examples").iterdir()
        if path.suffix == ".yaml" or path.name.endswith(".yaml.j2") or path.name == "team"
    ),
)
WORDS: dict[str, tuple[str, ...]] = {
    "examples/limits.yaml": ("--limit=cost=100000",),
    "examples/team": ("--allow-outside-root",),
}
"""What has to be said besides the manifest."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all manifests: states are written beside them."""
    copy = tmp_path_factory.mktemp("manifests")
    ignored = shutil.ignore_patterns("state", ".scenario", "__pycache__")
    shutil.copytree(ROOT, copy, dirs_exist_ok=True, ignore=ignored)
    return copy


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    with EmulatorThread(manual_options(clock="real", training_s=0.05, queue_s=0)) as emulator:
        monkeypatch.setenv("SCENARIO_BASE_URL", emulator.url)
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key")
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret")
        monkeypatch.delenv("SCENARIO_PROJECT_ID", raising=False)
        yield emulator


def kind_of(request: Logged) -> str | None:
    """The kind of step a request belongs to; None for a read, a poll or a part."""
    if request.method == "GET" or "get-bulk" in request.path or "dryRun=true" in request.query:
        return None
    pieces = [piece for piece in request.path.split("?")[0].split("/") if piece and piece != "v1"]
    match (request.method, pieces):
        case (_, ["parts", *_]):
            return None
        case ("POST", ["models"]):
            return "create"
        case ("POST", ["assets"]):
            return "upload"
        case ("POST", ["models", _, "training-images"]):
            return "upload or attach"
        case ("POST", ["generate", "custom", _]):
            return "sample"
        case ("PUT", ["assets", _]):
            return "caption"
        case ("PUT", ["models", _, "train"]):
            return "train"
        case ("PUT", ["models", _, "training-images", "pairs"]):
            return "pair"
        case ("PUT", ["models", _, "tags"]):
            return "tag"
        case ("PUT", ["models", _]):
            return "update"
        case ("DELETE", ["models", _, "training-images", _]):
            return "detach"
        case ("DELETE", ["models", _]):
            return "delete"
        case ("POST", ["generate", "custom", _]):
            return "sample"
    return f"{request.method} {request.path}"


def sent(service: EmulatorThread) -> Counter[str]:
    return Counter(kind for request in service.requests if (kind := kind_of(request)) is not None)


def as_sent(by_step: Mapping[str, int]) -> Counter[str]:
    """A plan's counts in the words of kind_of: an upload is either a request of its own or attaches at once."""
    counts = Counter(
        {kind: number for kind, number in by_step.items() if kind not in ("wait", "sample-wait", "upload", "attach")}
    )
    counts["uploads and attaches"] = by_step.get("upload", 0) + by_step.get("attach", 0)
    return +counts


def merged(counts: Counter[str]) -> Counter[str]:
    both = counts.pop("upload", 0) + counts.pop("upload or attach", 0)
    return +(counts + Counter({"uploads and attaches": both}))


def planned(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, int]:
    capsys.readouterr()
    code = main(["plan", "--format", "json", "--rate-limit", "0", *words])
    said = capsys.readouterr()
    assert code == 0, said.err
    by_step: dict[str, int] = json.loads(said.out)["requests"]["by_step"]
    return by_step


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_plan_counts_the_requests_its_apply_uses(
    name: str, folder: Path, service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exactly, kind by kind; and a second plan counts none."""
    manifest = folder / name
    seed = (manifest if manifest.is_dir() else manifest.parent) / "emulator-seed.json"
    if not seed.exists():
        seed = folder / "examples" / "emulator-seed.json"
    service.seed(json.loads(seed.read_text()))
    words = (os.fspath(manifest), *WORDS.get(name, ()))
    counted = planned(capsys, *words)
    service.clear_requests()
    code = main(["apply", "--auto-approve", "-q", "--rate-limit", "0", "--poll-interval", "0.02", *words])
    assert code == 0, "".join(capsys.readouterr())
    used = merged(sent(service))
    assert used == as_sent(counted)
    assert used.total() == sum(counted.values()) - counted.get("wait", 0) - counted.get("sample-wait", 0)
    assert planned(capsys, *words) == {}
