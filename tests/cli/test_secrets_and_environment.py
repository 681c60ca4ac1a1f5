"""--allow-env, and a secret on its whole way: into the body of one request, and into nothing that anybody reads."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scenario_apply.__main__ import main
from scenario_apply.api import transport
from scenario_apply.api.exchange import Outcome, Request
from scenario_apply.api.transport import Transport
from scenario_apply.cli import main as cli
from scenario_apply.cli.command_table import MODULES
from scenario_apply.emulator.thread import EmulatorThread, manual_options

KEYS = {"WANDB_API_KEY": "hunter2hunter2hunter2", "TEAM_B": "0123456789abcdef0123"}
MANIFEST = """\
version: 1
variables: { b: { default: "{{ env.TEAM_B }}", secret: true } }
datasets: { kael: ./kael }
defaults: { models: { parameters: { rank: 4 } } }
models:
  base: { name: "Base of {{ env.SCENARIO_TEAM }}", type: flux.1-lora, dataset: kael,
          parameters: { wandbKey: "{{ env.WANDB_API_KEY }}" } }
  more: { extends: base, name: More, matrix: { wandbKey: { a: "{{ env.WANDB_API_KEY }}", b: "{{ b }}" } } }
"""
ALLOW = ("--allow-env", "WANDB_API_KEY", "--allow-env=TEAM_B")


class Bodies:
    """What was sent, and what the service may answer before the emulator is asked."""

    def __init__(self) -> None:
        self.sent: list[tuple[Request, bytes]] = []


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> Bodies:
    kept = Bodies()
    exchange = Transport.exchange

    def watched(self: Transport, request: Request) -> Outcome:
        if request.body is not None:
            kept.sent.append((request, b"".join(bytes(piece) for piece in request.body)))
        return exchange(self, request)

    monkeypatch.setattr(Transport, "exchange", watched)
    return kept


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    (folder / "kael").mkdir(parents=True)
    for number in (1, 2):
        Image.effect_noise((1024, 1024), 40 + number).convert("RGB").save(folder / "kael" / f"{number:02}.jpg")
        (folder / "kael" / f"{number:02}.txt").write_text(f"KAEL, picture {number}")
    (folder / "scenario.yaml").write_text(MANIFEST)
    monkeypatch.chdir(folder)
    for name, value in {**KEYS, "SCENARIO_TEAM": "art"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SCENARIO_APPLY_ENV", raising=False)
    return folder


@pytest.fixture
def service(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key_of_the_project")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret_of_the_project")
    with EmulatorThread(manual_options(clock="real", training_s=0.2, queue_s=0)) as emulator:
        monkeypatch.setenv("SCENARIO_BASE_URL", emulator.url)
        yield emulator


def forms(secret: str) -> list[str]:
    """The secret, and what would let it be found out."""
    return [
        secret,
        hashlib.sha256(secret.encode()).hexdigest(),
        hashlib.sha1(secret.encode(), usedforsecurity=False).hexdigest(),
        hashlib.md5(secret.encode(), usedforsecurity=False).hexdigest(),
        base64.b64encode(secret.encode()).decode().rstrip("="),
    ]


def assert_nowhere(text: str) -> None:
    for secret in KEYS.values():
        assert not any(form in text for form in forms(secret))


EVERY_LOOK = (
    "validate --format json",
    "config",
    "config --format json",
    "dataset show kael",
    "plan --format json --no-refresh",
    "plan -v",
    "status",
    "status --format json",
    "output",
    "output --format json",
    "output --format yaml",
    "output --format env",
    "state list -v",
    "state history",
    "state history --format json",
    "state show model.more/a",
    "state show model.more/b --format json",
    "state pull",
)


def test_a_secret_is_sent_and_read_nowhere(
    service: EmulatorThread, home: Path, bodies: Bodies, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a saved plan with --allow-env: each label's key reaches its launch. No screen, file or digest holds it."""
    assert main(["plan", "--out", "tonight.json", *ALLOW]) == 0
    planned = capsys.readouterr()
    assert "model.more/a" in planned.out
    saved = planned.out.splitlines()[-1].removeprefix("Next: ")
    assert saved == "scenario-apply apply tonight.json --allow-env=WANDB_API_KEY --allow-env=TEAM_B"
    words = [*shlex.split(saved)[1:], "--auto-approve", "--poll-interval=0.05", "--events", "events.jsonl", "-v"]
    assert not any(key.encode() in body for _, body in bodies.sent for key in KEYS.values()), "a plan sends no secret"
    assert main(words) == 0
    launched = [json.loads(body)["parameters"] for r, body in bodies.sent if r.path.endswith("/train") and not r.query]
    assert sorted(p["wandbKey"] for p in launched) == sorted([KEYS["WANDB_API_KEY"]] * 2 + [KEYS["TEAM_B"]])
    assert sum(key.encode() in body for _, body in bodies.sent for key in KEYS.values()) == 3

    said = [planned.out, planned.err, *capsys.readouterr()]
    (home / "kael" / "01.txt").write_text("KAEL, another caption")
    before = len(bodies.sent)
    assert main(["plan", *ALLOW]) == 0
    quoted = [body for request, body in bodies.sent[before:] if ("dryRun", "true") in request.query]
    assert quoted
    assert not any(key.encode() in body for body in quoted for key in KEYS.values()), "nor does a dry run"
    for line in EVERY_LOOK:
        assert main([*line.split(), *ALLOW]) == 0, line
        said += capsys.readouterr()
    assert_nowhere("".join(said))
    assert "(secret)" in "".join(said)
    files = [path for path in home.rglob("*") if path.is_file()]
    assert {"tonight.json", "events.jsonl", "scenario.json"} <= {path.name for path in files}
    for path in files:
        assert_nowhere(path.read_bytes().decode("utf-8", "replace"))


def test_another_key_is_no_other_training(
    service: EmulatorThread, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is a key that was taken out: where a training reports to does not change the model."""
    assert main(["apply", "--auto-approve", "--poll-interval=0.05", "--select=model.base", *ALLOW]) == 0
    monkeypatch.setenv("WANDB_API_KEY", "another-key-altogether")
    assert main(["plan", "--detailed-exitcode", "--select=model.base", *ALLOW]) == 0
    (home / "scenario.yaml").write_text(
        MANIFEST.replace(',\n          parameters: { wandbKey: "{{ env.WANDB_API_KEY }}" }', "")
    )
    assert main(["plan", "--detailed-exitcode", "--select=model.base", *ALLOW]) == 0
    assert "another-key" not in "".join(capsys.readouterr())


def test_what_an_earlier_release_recorded_is_not_trained_again(
    service: EmulatorThread, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its state holds a digest, and a fingerprint of the key: the rest is compared, and the digest goes."""
    assert main(["apply", "--auto-approve", "--poll-interval=0.05", "--select=model.base", *ALLOW]) == 0
    path = home / "state" / "scenario.json"
    state = json.loads(path.read_text())
    current = state["resources"]["model.base"]["current"]
    current["fingerprint"] = "1:" + "0" * 64
    current["parameters"]["wandbKey"] = {"secret": f"sha256:{hashlib.sha256(b'0000').hexdigest()}"}
    path.write_text(json.dumps(state))
    assert main(["plan", "--detailed-exitcode", "--select=model.base", *ALLOW]) == 0
    assert main(["state", "show", "model.base", *ALLOW]) == 0
    assert "wandbKey=(secret)" in capsys.readouterr().out
    (home / "scenario.yaml").write_text(MANIFEST.replace("rank: 4", "rank: 8"))
    assert main(["plan", "--detailed-exitcode", "--select=model.base", *ALLOW]) == 2


def test_what_the_service_says_of_a_secret_is_not_repeated(
    service: EmulatorThread, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refusal that repeats the key: neither the ledger nor the state nor its journal does."""
    read = transport._content

    def echoing(response: Any) -> bytes:
        content = read(response)
        if response.url.endswith("/train"):
            response.status_code = 400
            return json.dumps({"reason": f"the key {KEYS['WANDB_API_KEY']} is unknown"}).encode()
        return content

    monkeypatch.setattr(transport, "_content", echoing)
    assert main(["apply", "--auto-approve", "--select=model.base", *ALLOW]) != 0
    said = "".join(capsys.readouterr())
    assert "the key *** is unknown" in said
    assert_nowhere(said + "".join(path.read_text() for path in (home / "state").rglob("*") if path.is_file()))


def test_a_name_that_holds_a_secret_is_read_without_it(
    service: EmulatorThread, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An answer that succeeds and repeats the key: drift would print and record it."""
    assert main(["apply", "--auto-approve", "--poll-interval=0.05", "--select=model.base", *ALLOW]) == 0
    read = transport._content

    def echoing(response: Any) -> bytes:
        return read(response).replace(b'"name":"', b'"name":"' + KEYS["WANDB_API_KEY"].encode())

    monkeypatch.setattr(transport, "_content", echoing)
    capsys.readouterr()
    assert main(["plan", "--select=model.base", *ALLOW]) == 0
    said = capsys.readouterr().out
    assert "***" in said
    assert_nowhere(said)


# -- --allow-env


def test_every_command_that_reads_a_manifest_takes_allow_env() -> None:
    for name in MODULES:
        options = cli.parser_of(name, cli.load(name)).options()
        assert ("--allow-env" in options) is ("--var" in options), name


@pytest.mark.parametrize(
    ("words", "variable", "reads"),
    [
        ([], None, False),
        (["--allow-env", "WANDB_API_KEY"], None, False),
        ([*ALLOW], None, True),
        ([], "WANDB_API_KEY,TEAM_B", True),
        ([], " WANDB_API_KEY , TEAM_B,", True),
        (["--allow-env=TEAM_B"], "WANDB_API_KEY", True),
        ([], "", False),
        ([], "wandb_api_key,team_b", False),
    ],
)
def test_a_manifest_reads_what_the_caller_allows(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    variable: str | None,
    reads: bool,
) -> None:
    """By the option or by SCENARIO_APPLY_ENV, or both; the error says where it is read and what to add."""
    if variable is not None:
        monkeypatch.setenv("SCENARIO_APPLY_ENV", variable)
    assert main(["config", *words]) == (0 if reads else 1)
    err = capsys.readouterr().err
    if not reads:
        assert "error[env-not-allowed]: the manifest may not read the environment variable" in err
        assert "--allow-env TEAM_B" in err
        assert "scenario.yaml:2:32" in err


@pytest.mark.parametrize("text", ["*", "WANDB_*", "A=hunter2", "a b", "", "hunter2!", "1A"])
def test_only_names_are_allowed_and_a_value_is_not_repeated(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """No pattern allows everything; what somebody gave instead of a name may be the secret itself."""
    assert main(["config", "--allow-env", text]) == 64
    monkeypatch.setenv("SCENARIO_APPLY_ENV", f"WANDB_API_KEY,{text}")
    assert main(["config"]) == (64 if text else 1)
    assert main(["state", "list", "--allow-env", text]) == 64
    assert "hunter2" not in "".join(capsys.readouterr())
    assert main(["completion", "bash"]) == 0, "a command that reads no manifest does not ask for it"


def test_a_manifest_of_somebody_else_learns_nothing_of_the_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """117 usual names, set or not: the same is said of each, and no other name is proposed."""
    names = USUAL_NAMES.split()
    (home / "scenario.yaml").write_text(
        "version: 1\ndatasets: { kael: ./kael }\nmodels:\n"
        + "".join(
            f'  m{n}: {{ type: flux.1-lora, dataset: kael, description: "{{{{ env.{name} | default(0) }}}}" }}\n'
            for n, name in enumerate(names)
        )
    )
    said = []
    for is_set in (True, False):
        for name in names:
            monkeypatch.setenv(name, "hunter2-hunter2") if is_set else monkeypatch.delenv(name, raising=False)
        assert main(["validate", "--format", "json", "-v"]) == 1
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert said[0].count("env-not-allowed") == len(names)
    assert "hunter2" not in said[0]
    assert "did you mean" not in said[0]


USUAL_NAMES = """
DATABASE_URL GH_PAT DOCKER_AUTH_CONFIG CI_JOB_JWT CI_JOB_JWT_V2 CI_JOB_TOKEN AZURE_STORAGE_CONNECTION_STRING
AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN GITHUB_TOKEN GH_TOKEN GITLAB_TOKEN NPM_TOKEN PYPI_TOKEN
TWINE_PASSWORD HF_TOKEN HUGGINGFACE_HUB_TOKEN OPENAI_API_KEY ANTHROPIC_API_KEY WANDB_KEY SLACK_WEBHOOK_URL SLACK_TOKEN
DISCORD_WEBHOOK SENTRY_DSN REDIS_URL MONGODB_URI POSTGRES_PASSWORD PGPASSWORD PGPASSFILE MYSQL_PWD MYSQL_ROOT_PASSWORD
VAULT_TOKEN VAULT_ADDR KUBECONFIG KUBE_CONFIG GOOGLE_APPLICATION_CREDENTIALS GCP_SA_KEY AZURE_CLIENT_SECRET
AZURE_CREDENTIALS ARM_CLIENT_SECRET DIGITALOCEAN_TOKEN HEROKU_API_KEY FLY_API_TOKEN CLOUDFLARE_API_TOKEN STRIPE_KEY
TWILIO_AUTH_TOKEN SENDGRID_API_KEY MAILGUN_SMTP_PASSWORD SMTP_PASS SMTP_URL JWT_SIGNING SECRET_KEY_BASE
DJANGO_SECRET_KEY RAILS_MASTER_KEY SSH_PRIVATE_KEY SSH_AUTH_SOCK GPG_PASSPHRASE CODECOV_TOKEN SONAR_TOKEN SNYK_TOKEN
DOCKER_PASSWORD DOCKERHUB_PAT REGISTRY_AUTH NETLIFY_AUTH_TOKEN VERCEL_TOKEN FIREBASE_TOKEN TF_VAR_db_password
ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_RUNTIME_TOKEN CI_REGISTRY_PASSWORD CI_DEPLOY_PASSWORD CI_REPOSITORY_URL
BITBUCKET_APP_PASSWORD JENKINS_CRED BUILDKITE_AGENT_ACCESS_TOKEN CIRCLE_TOKEN DRONE_TOKEN HOME PATH USER HOSTNAME PWD
http_proxy https_proxy HTTPS_PROXY ELASTIC_URL AMQP_URL CELERY_BROKER_URL AUTH_HEADER BEARER COOKIE SESSION_ID
OTP_SEED PIN DB_PASS DB_DSN ODBC_CONN SAS_URL STORAGE_SAS SHARED_ACCESS LDAP_BIND_PW KERBEROS_KEYTAB KEYSTORE_PASS
SIGNING_CERT APPLE_ID MATCH_PASSWORD FASTLANE_SESSION SCENARIO_SDK_API_KEY SCENARIO_SDK_API_SECRET SCENARIO_API_KEY
SCENARIO_API_SECRET SCENARIO_UPLOAD_TOKEN SCENARIO_DB_PASSWORD
"""
