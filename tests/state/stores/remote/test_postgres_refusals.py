"""state.stores.remote.postgres_refusals."""

from __future__ import annotations

import pytest

from scenario_apply.state.stores.remote.postgres_refusals import connect_refusal, statement_refusal


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('FATAL:  password authentication failed for user "kael"', "does not accept this user and password"),
        ("fe_sendauth: no password supplied", "asks for a password"),
        (
            'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "kael", database "states", no encryption',
            "without encryption",
        ),
        (
            'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "kael", database "states", SSL encryption',
            "for this database from here",
        ),
        ("server does not support SSL, but SSL was required", "offers no encryption"),
        ("SSL error: certificate verify failed", "encrypted connection was not made"),
        ('FATAL:  database "states" does not exist', "no such database"),
        ('FATAL:  permission denied for database "states"', "may not connect to the database"),
        ("FATAL:  sorry, too many clients already", "no connection left"),
        ("FATAL:  the database system is starting up", "starting or stopping"),
        ("connection timeout expired", "no answer in time"),
        ("FATAL:  Passwort-Authentifizierung für Benutzer »kael« fehlgeschlagen", "refused the connection"),
    ],
)
def test_a_refused_connection_is_told_by_its_words(text: str, what: str) -> None:
    refusal = connect_refusal(f'connection to server at "10.0.0.9", port 5432 failed: {text}')
    assert what in refusal.what
    assert "kael" not in f"{refusal.what} {refusal.hint}"


def test_only_what_passes_is_tried_again() -> None:
    assert connect_refusal("remaining connection slots are reserved").is_passing
    assert not connect_refusal("password authentication failed").is_passing


@pytest.mark.parametrize(
    ("sqlstate", "what"),
    [
        ("42501", "lacks the privilege SELECT ON states"),
        ("25006", "read-only"),
        ("57014", "in time"),
        ("55P03", "locked by another session"),
        ("3F000", "no schema"),
        ("42703", "not those of this version"),
        ("53100", "no space"),
        ("54000", "too long"),
        ("XX000", "SQLSTATE XX000"),
        (None, "no code"),
        ("<b>", "no code"),
    ],
)
def test_a_refused_statement_is_told_by_its_code(sqlstate: str | None, what: str) -> None:
    assert what in statement_refusal(sqlstate, "SELECT ON states").what
