"""Addresses from the command line, checked against what is recorded."""

from __future__ import annotations

from scenario_apply.errors import StateError, UsageError
from scenario_apply.model.address import Address, parse_address
from scenario_apply.model.did_you_mean import did_you_mean
from scenario_apply.model.ids import ID_IN_WORDS, is_id
from scenario_apply.model.remote import ModelId
from scenario_apply.state.state import State


def address_of(text: str) -> Address:
    """The address that was typed. Raises UsageError."""
    try:
        return parse_address(text)
    except ValueError as error:
        raise UsageError(str(error)) from error


def adoption(text: str) -> tuple[Address, ModelId]:
    """ADDRESS=ID of --adopt. Raises UsageError."""
    address, sign, model_id = text.rpartition("=")
    if not sign or not address or not model_id:
        raise UsageError(f"--adopt {text!r} is not ADDRESS=ID", hint="as in --adopt model.kael=model_8NbVx...")
    if not is_id(model_id):
        raise UsageError(f"--adopt {text!r}: {model_id[:140]!r} is no id of a model", hint=f"an id is {ID_IN_WORDS}")
    return address_of(address), ModelId(model_id)


def recorded_address(text: str, state: State) -> Address:
    """The address that was typed, if it is recorded. Raises UsageError or StateError."""
    address = address_of(text)
    if address not in state.records:
        known = [str(other) for other in state.records]
        raise StateError(
            f"{address} is not recorded",
            code="not-recorded",
            hint=did_you_mean(text, known) or "scenario-apply state list shows what is",
        )
    return address
