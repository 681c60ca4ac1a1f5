"""What looks like a secret: the name or value of an environment variable, and a named value in a line of a file.

Name and value decide how an allowed variable is treated: as plain text, or as a Secret that only a secret parameter
accepts. This is not the access check: templates read only what the caller allows (allowed_environment.py). Lines are
masked before a diagnostic quotes them, because a file that is not valid YAML may hold secrets too.

The expressions are compiled when they are first used: few manifests need them.
"""

from __future__ import annotations

import re

from scenario_apply.model.secret import MASK

_WORDS = frozenset(
    {
        *("secret", "secrets", "key", "keys", "apikey", "accesskey", "authkey", "secretkey", "privatekey", "sshkey"),
        *("token", "tokens", "authtoken", "accesstoken", "jwt", "pat", "otp", "totp", "oauth", "bearer", "hmac", "sas"),
        *("auth", "authorization", "cred", "creds", "credential", "credentials", "netrc", "npmrc", "pypirc"),
        *("password", "passwords", "passwd", "passwrd", "pass", "passphrase", "passcode", "pw", "pwd", "pin"),
        *(
            "private",
            "cert",
            "certificate",
            "pem",
            "pfx",
            "p12",
            "keystore",
            "kubeconfig",
            "dsn",
            "webhook",
            "webhooks",
        ),
        *(
            "cookie",
            "cookies",
            "session",
            "signature",
            "mnemonic",
            "psk",
            "rsa",
            "ed25519",
            "header",
            "headers",
            "login",
        ),
    }
)
_PARTS = (
    r"secret|passw|passphrase|credential|private_?key|api_?key|access_?key|auth_?token|access_?token"
    r"|conn(?:ection)?_?str(?:ing)?\b|connection_?string"
)
_ENDS = r"(?:token|key|secret|passw(?:or)?d|pass|creds?|credentials?|auth|jwt)s?$"
"""Words written together: apitoken, wandbkey, userpass."""
_OTHER_ENDS = r"(?:monkey|turkey|hockey|jockey|donkey|whiskey|compass|bypass)s?$"
_VERSION = r"(?:v?[0-9]+)$"
_ADDRESS = r"(?:^|_)(?:url|uri|dsn|connection)s?$"
_ADDRESSED = (
    r"(?:^|_)(?:database|db|postgres\w*|pg|mysql|mariadb|mongo\w*|redis\w*|amqp|rabbitmq|cloudamqp|celery|broker|smtp|mail"
    r"|mailer|ldap|ftp|sftp|sentry|elastic\w*|kafka|mssql|sqlserver|oracle|clickhouse|cassandra|couch\w*|jdbc|slack)(?:_|$)"
)
_PLAIN_NAMES = frozenset({"pwd", "oldpwd", "session", "desktop_session", "xdg_session_type", "xdg_session_desktop"})
_CAMEL = r"(?<=[a-z0-9])(?=[A-Z])"

_VALUE = (
    r"-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\b(?:gh[oprsu]_|github_pat_|glpat-|gl[a-z]{2,5}-|xox[abeoprs]-|npm_|pypi-|hf_|sk-|sk_live_|rk_live_|dop_v1_|shpat_)\w{10}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\A(?i:basic|bearer)\s+[\w+/=.~-]{16,}\Z|https://hooks\.slack\.com/services/"
    r"|\bAIza[\w-]{30}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\."
    r"|\b[a-z][a-z0-9+.-]*://[^\s/@:]*:[^\s/@]+@"
    r"|(?i:\b(?:password|pwd|accountkey|sharedaccesskey|sharedaccesssignature)\s*=\s*[^\s;]{4})"
    r"|[?&](?i:sig|signature|x-amz-signature|token|access_token|key|api_key)=[^&\s]{8}"
)


def is_secret_name(name: str) -> bool:
    """Whether a variable of that name usually holds a secret: WANDB_API_KEY, GH_PAT, DATABASE_URL, dbPassword."""
    lower = re.sub(_CAMEL, "_", name).lower()
    if lower in _PLAIN_NAMES:
        return False
    if any(_is_secret_word(word) for word in re.split(r"[^a-z0-9]+", lower)) or re.search(_PARTS, lower):
        return True
    return bool(re.search(_ADDRESS, lower) and re.search(_ADDRESSED, lower))


def _is_secret_word(word: str) -> bool:
    if word in _WORDS:
        return True
    word = re.sub(_VERSION, "", word)  # token2, credsv3
    return word in _WORDS or bool(re.search(_ENDS, word) and not re.search(_OTHER_ENDS, word))


def is_secret_value(value: str) -> bool:
    """Whether a text has the form of a secret: a known kind of token, a private key, an address with a password."""
    return bool(re.search(_VALUE, value))


_NAMED_LINE = r"""(?ix)
    ( [\w-]* (?: wandb[_-]?(?:api[_-]?)?key | secret | token | passw(?:or)?d | api[_-]?key | access[_-]?key ) [\w-]*
      ["']? \s* [:=] \s* )
    ( "[^"]*"? | '[^']*'? | [^\s\{\[&*|>"',}\]#] [^,}\]\#]* )
    """
_HARMLESS = r"""(?i)["']?\s*(?:true|false|null|~|\{\{.*|)\s*["']?"""


_IN_EVERY_NAME = ("key", "secret", "token", "passw")  # _NAMED_LINE matches no line without one of them


def without_secret_values(line: str) -> str:
    """The line with every value masked that follows a name such as wandbKey; columns do not move."""
    folded = line.casefold()  # finds every letter that the expression takes for one of another case, such as \u017f
    return re.sub(_NAMED_LINE, _masked, line) if any(word in folded for word in _IN_EVERY_NAME) else line


def masked_in_place(text: str) -> str:
    """The mask, as long as the text, so that the text after it does not move."""
    return MASK.ljust(len(text)) if len(text) >= len(MASK) else "*" * len(text)


def _masked(match: re.Match[str]) -> str:
    value = match[2]
    if re.fullmatch(_HARMLESS, value):
        return match[0]
    return match[1] + masked_in_place(value)
