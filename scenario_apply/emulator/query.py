"""Query parameters, one by one. Each function raises a 400 that names the parameter."""

from __future__ import annotations

from scenario_apply.emulator.messages import Request, bad_request


def number(request: Request, name: str, low: int, high: int | None, default: int) -> int:
    """A whole number within low and high."""
    raw = request.query.get(name)
    if raw is None:
        return default
    digits = raw.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        raise bad_request(f"{name}: must be a whole number")
    value = int(digits)
    if value < low or (high is not None and value > high):
        limits = f"within {low} and {high}" if high is not None else f"at least {low}"
        raise bad_request(f"{name}: must be {limits}, not {value}")
    return value


def flag(request: Request, name: str) -> bool | None:
    """true or false; None when the parameter is missing."""
    raw = request.query.get(name)
    if raw is None:
        return None
    if raw not in ("true", "false"):
        raise bad_request(f"{name}: must be true or false")
    return raw == "true"


def choice(request: Request, name: str, choices: tuple[str, ...]) -> str | None:
    """One of a few words; None when the parameter is missing."""
    raw = request.query.get(name)
    if raw is not None and raw not in choices:
        raise bad_request(f"{name}: must be one of {', '.join(choices)}")
    return raw


def words(request: Request, name: str) -> tuple[str, ...]:
    """A comma-separated list."""
    return tuple(filter(None, request.query.get(name, "").split(",")))


def is_dry_run(request: Request) -> bool:
    """Whether the query asks for a price only. A dryRun in the body does not count."""
    return choice(request, "dryRun", ("true", "api", "false")) in ("true", "api")
