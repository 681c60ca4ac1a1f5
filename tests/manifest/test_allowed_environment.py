"""Which variables templates read, and which values are secret, whatever the variable is called."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode

import pytest

from scenario_apply.manifest.templating.allowed_environment import AllowedEnvironment, EnvironmentVariableRefused
from scenario_apply.model.secret import Secret

SECRET = "topsecret?ABC>~"
OTHERS = {"SCENARIO_SDK_API_KEY": "key_of_the_project", "SCENARIO_SDK_API_SECRET": SECRET}

SECRET_NAMES = """
TOKEN2 KEY1 WANDB_KEY SDKKEY PASS1 CREDS2 CRED1 TOKENV2 BEARER2 APITOKEN HFTOKEN MYTOKEN WANDBKEY STAGINGKEY BASICAUTH
USERPASS PSK HEADERS LOGIN ID_RSA GITLABTOKEN myKey2 dbPassword
"""
PLAIN_NAMES = (
    "TEAM PROJECT_ID BASE_URL MONKEY TURKEY COMPASS STYLE2 PATH_TO_PICTURES KEYBOARD AUTHOR PASSAGE RELEASE_V2"
)


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_a_variable_with_the_name_of_a_secret_is_not_open(name: str) -> None:
    """Numbered, versioned and written together; allowed by the caller, its value stays a secret."""
    name = f"SCENARIO_{name}"
    with pytest.raises(EnvironmentVariableRefused):
        AllowedEnvironment({name: "x"}).check(name)
    assert isinstance(AllowedEnvironment({name: "x"}, [name]).read(name), Secret)


@pytest.mark.parametrize("name", PLAIN_NAMES.split())
def test_other_names_are_open(name: str) -> None:
    name = f"SCENARIO_{name}"
    assert AllowedEnvironment({name: "art", **OTHERS}).read(name) == "art"


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        f"https://x:{SECRET}@host",
        SECRET.upper(),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        *(
            b64encode(f"{'x' * before}:{SECRET}{after}".encode()).decode()
            for before in range(3)
            for after in ("", "z", "zz")
        ),
        *(urlsafe_b64encode(f"{'x' * before}:{SECRET}".encode()).decode() for before in range(3)),
        "Basic eDp5b3VyIHNlY3JldA==",
        "Bearer 0123456789abcdef0123",
        "https://hooks.slack.com/services/T0/B0/abc",
    ],
)
def test_a_value_that_holds_a_secret_in_any_form_is_one(value: str) -> None:
    environment = AllowedEnvironment({"SCENARIO_X": value, **OTHERS})
    assert isinstance(environment.read("SCENARIO_X"), Secret)


@pytest.mark.parametrize(
    "value", ["art", "A basic photorealistic style", "bearer of bad news", b64encode(b"art").decode()]
)
def test_other_values_are_plain(value: str) -> None:
    assert AllowedEnvironment({"SCENARIO_X": value, **OTHERS}).read("SCENARIO_X") == value
