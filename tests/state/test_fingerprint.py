"""state/fingerprint.py: what a training was made from. Its values stand in people's states."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scenario_apply.dataset.digest import digest_of
from scenario_apply.dataset.types import Contents
from scenario_apply.model.remote import ModelId
from scenario_apply.model.secret import Secret
from scenario_apply.state.fingerprint import fingerprint, plain_parameter
from scenario_apply.state.state import ConceptRecord
from tests.planning.manifests import SECRET, picture

INK = ConceptRecord(ModelId("model_b"), 0.5, "3", "1:trained")
WASH = ConceptRecord(ModelId("model_a"), 1)


def test_version_1_never_changes() -> None:
    """A release that changed one of these would train every model of every user again."""
    assert (
        fingerprint(
            type="flux.1-lora", parameters={"nbEpochs": 10, "learningRate": 1e-4}, dataset="sha256:00", like="1:"
        )
        == "1:0ac3ab4eda9044d592f6ab5bbbbb805582ec6637d3fb278e570b6a456cf69299"
    )
    assert (
        fingerprint(type="sd-xl-lora", parameters={}, dataset=None, like="1:")
        == "1:c568f2d4741b92f973d8eec7ad6125507dc7fae5c5c9a5aa5564c0f052e6f5d7"
    )
    assert (
        fingerprint(
            type="flux.1-lora",
            parameters={"wandbKey": Secret(SECRET), "samplePrompts": ["é", "b"]},
            dataset="sha256:00",
            like="1:",
        )
        == "1:de6465cd45f6837e64b5efb5fabe81bb75456c5e4190962ec4e080fec1d5ca9a"
    )
    assert (
        fingerprint(type="flux.1-composition", parameters={}, dataset=None, concepts=[INK, WASH], like="1:")
        == "1:e7a433a564a8fbfb960a540f8217bd38af4e515ebcabe4c2b41af2775f892642"
    )


def test_version_2_never_changes() -> None:
    """A release that changed one of these would train every model of every user again."""
    assert (
        fingerprint(type="flux.1-lora", parameters={"nbEpochs": 10, "learningRate": 1e-4}, dataset="sha256:00")
        == "2:0ac3ab4eda9044d592f6ab5bbbbb805582ec6637d3fb278e570b6a456cf69299"
    )
    assert (
        fingerprint(type="sd-xl-lora", parameters={}, dataset=None)
        == "2:c568f2d4741b92f973d8eec7ad6125507dc7fae5c5c9a5aa5564c0f052e6f5d7"
    )
    assert (
        fingerprint(
            type="flux.1-lora",
            parameters={"wandbKey": Secret(SECRET), "samplePrompts": ["é", "b"]},
            dataset="sha256:00",
        )
        == "2:d3efbd3a87b9a9f0410b6268dc91b620483aed2a348cac059418229361959599"
    )
    assert (
        fingerprint(type="flux.1-composition", parameters={}, dataset=None, concepts=[INK, WASH])
        == "2:e7a433a564a8fbfb960a540f8217bd38af4e515ebcabe4c2b41af2775f892642"
    )


def test_the_digest_of_a_dataset_never_changes() -> None:
    """It is part of the fingerprint."""
    contents = Contents(images=(picture("a.png", "ash", "one"), picture("b.png", "birch")))
    assert digest_of(contents) == "sha256:41b2ad14f59220ddbe231c0ba93ce06ade0603a0dc02c36b7aebb7d581a6d4e6"


def of(**parameters: object) -> str:
    return fingerprint(type="flux.1-lora", parameters=parameters, dataset=None)


def test_the_same_number_written_otherwise_is_the_same() -> None:
    assert of(nbEpochs=10) == of(nbEpochs=10.0)
    assert of(learningRate=1e-4) == of(learningRate=0.0001)
    assert of(nbEpochs=10) != of(nbEpochs=12)
    assert of(nbEpochs=10) != of(nbEpochs="10")
    assert of(a=1, b=2) == of(b=2, a=1)


def test_the_order_of_parts_and_what_they_were_trained_from_do_not_count() -> None:
    """A retrained part is recognised by trained_from, which also gives the reason."""
    one = fingerprint(type="t", parameters={}, dataset=None, concepts=[INK, WASH])
    other = fingerprint(type="t", parameters={}, dataset=None, concepts=[WASH, replace(INK, trained_from="1:new")])
    assert one == other
    assert one != fingerprint(type="t", parameters={}, dataset=None, concepts=[replace(INK, scale=0.6), WASH])


def test_the_records_own_version_is_used_and_a_newer_one_refused() -> None:
    """A new algorithm in a new release never retrains what an older one trained."""
    assert fingerprint(type="t", parameters={}, dataset=None, like="1:abc").startswith("1:")
    assert fingerprint(type="t", parameters={}, dataset=None).startswith("2:")
    with pytest.raises(ValueError, match=r"version 3 was written by a newer scenario-apply"):
        fingerprint(type="t", parameters={}, dataset=None, like="3:abc")


def test_a_secret_is_stored_as_its_mask_and_counts_for_nothing() -> None:
    """No digest of it is kept, which a short one could be guessed from; another key is no other training."""
    assert plain_parameter(Secret(SECRET)) == "(secret)"
    assert of(wandbKey=Secret(SECRET)) == of(wandbKey=Secret("another")) == of(wandbKey="(secret)") == of()


def test_a_model_trained_with_a_secret_by_an_earlier_release_is_recognised() -> None:
    """Version 1 held the secret's digest: it is computed to compare with, so that nothing is trained twice."""
    known = fingerprint(type="t", parameters={"wandbKey": Secret(SECRET)}, dataset=None, like="1:")
    other = fingerprint(type="t", parameters={"wandbKey": Secret("another")}, dataset=None, like="1:")
    assert known != other


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_stays_itself(value: float) -> None:
    assert plain_parameter(value) == value
