"""What is told of an adoption, and --adopt where two models fit a creation that was never answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.__main__ import main
from scenario_apply.apply.events import Adopted, StepFinished
from scenario_apply.apply.prepare import PlanOptions
from scenario_apply.cli.address_arguments import adoption
from scenario_apply.cli.progress.plain_view import adopted_line, finished_line
from scenario_apply.errors import AnswerLost, ApplyError, UsageError
from scenario_apply.model.address import parse_address
from scenario_apply.model.remote import ModelId
from tests.fakes.bench import Bench, model
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, Wire

KAEL = parse_address("model.kael")


def two_that_fit(root: Path) -> tuple[Bench, FakeScenario, ModelId, ModelId]:
    """A run died after its creation; somebody else made a model alike. Ours and the other one."""
    bench = Bench(root)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael"))
    service = FakeScenario(bench.clock)
    with pytest.raises(Killed):
        bench.apply(Wire(service, Fault("after", Killed, name="create_model")).api)
    ours = service.model_named("Kael").id
    return bench, service, ours, service.create_model(name="Kael", type="flux.1-lora").id


def adopt(model_id: str, address: str = "model.kael") -> PlanOptions:
    return PlanOptions(adopt={parse_address(address): ModelId(model_id)})


def test_two_that_fit_are_named_with_the_option_that_decides(tmp_path: Path) -> None:
    bench, service, ours, other = two_that_fit(tmp_path)
    with pytest.raises(ApplyError) as caught:
        bench.apply(service)
    problem = caught.value.problems[0]
    assert ours in problem.message
    assert other in problem.message
    assert "--adopt model.kael=ID" in str(problem.hint)


def test_the_named_one_is_adopted_and_nothing_is_made_anew(tmp_path: Path) -> None:
    bench, service, ours, _ = two_that_fit(tmp_path)
    ledger = bench.apply(service, plan=adopt(ours))
    assert ledger.status == "done"
    assert [(line.what, line.remote_id, line.reason) for line in ledger.adopted] == [
        ("create", ours, "named with --adopt")
    ]
    assert bench.record("model.kael").current.id == ours
    assert len(service.models) == 2
    assert len(service.jobs) == 1


def test_what_cannot_be_adopted_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """Unknown, of another type, in use, recorded, or for something whose creation was answered."""
    bench, service, ours, _ = two_that_fit(tmp_path)
    sketch = service.create_model(name="Kael", type="sd-xl-lora")
    old = service.create_model(name="Old", type="flux.1-lora")
    service.models[old.id].status = "trained"
    calls = len(service.models)
    for options, words in (
        (adopt("model_nobody"), "no such model"),
        (adopt(sketch.id), "a new flux.1-lora was requested"),
        (adopt(old.id), "trained"),
        (adopt(ours, "model.other"), "no create request of model.other"),
    ):
        with pytest.raises(UsageError, match=words):
            bench.apply(service, plan=options)
    assert len(service.models) == calls
    assert bench.journal_path.exists(), "nobody decided yet"
    bench.apply(service, plan=adopt(ours))
    with pytest.raises(UsageError, match="no create request of"):
        bench.apply(service, plan=adopt(ours))


def test_every_adoption_tells_how_it_was_recognised(tmp_path: Path) -> None:
    """In the same run and at the next start: in the lines on the way and in the ledger."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front", "KAEL, side"])
    bench.declare(model("kael", "kael"))
    service = FakeScenario(bench.clock)
    lost = [Fault("after", lambda: AnswerLost("lost"), name=name) for name in ("create_model", "add_image", "train")]
    ledger = bench.apply(Wire(service, *lost).api)
    told = {line.what: line.reason for line in ledger.adopted}
    assert told == {
        "create": "a new, empty model with the same name and type, created since the request",
        "upload 01.png": "a training image with the same name on the model",
        "train": "the model is training",
    }
    lines = [finished_line(e) for e in bench.events if isinstance(e, StepFinished) and e.adopted]
    assert len(lines) == 3
    assert all(any(str(reason) in line for line in lines) for reason in told.values()), lines


def test_an_adoption_of_an_earlier_run_is_told_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael"))
    service = FakeScenario(bench.clock)
    with pytest.raises(Killed):
        bench.apply(Wire(service, Fault("after", Killed, name="train")).api)
    bench.apply(service)
    [event] = [event for event in bench.events if isinstance(event, Adopted)]
    assert event.how in adopted_line(event)
    assert event.how


def test_the_option_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert adoption("model.kael-lr/slow,r16=model_x") == (parse_address("model.kael-lr/slow,r16"), "model_x")
    for bad in ("model.kael", "=model_x", "model.kael=", "kael=model_x"):
        with pytest.raises(UsageError):
            adoption(bad)
    assert main(["apply", "--help"]) == 0
    assert "--adopt ADDRESS=ID" in capsys.readouterr().out
