"""The schemas that the emulator checks request bodies with are those of the contract."""

from __future__ import annotations

from . import request_bodies


def test_the_file_is_generated_from_the_contract() -> None:
    """When this fails, run `python tests/contract/request_bodies.py` and commit the result."""
    assert request_bodies.TARGET.read_text(encoding="utf-8") == request_bodies.generated()
