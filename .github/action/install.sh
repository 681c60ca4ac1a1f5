#!/usr/bin/env bash
# Install this version of scenario-apply, with what it needs in the versions and with the hashes of requirements.txt.
# It runs outside of the checkout, and without credentials.
# shellcheck source=common.sh
source "${BASH_SOURCE[0]%/*}/common.sh"

mkdir -p "$work"
cd "$work"
if [[ ! -x $venv/bin/python ]]; then
	"$PYTHON" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$PYTHON is older than Python 3.11: use actions/setup-python"
	"$PYTHON" -I -m venv "$venv"
	"$venv/bin/python" -I -m pip install --quiet --disable-pip-version-check --no-input --only-binary :all: \
		--require-hashes --requirement "$ACTION/.github/action/requirements.txt"
	packages=$("$venv/bin/python" -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
	printf '%s\n' "$ACTION" >"$packages/scenario_apply.pth"
fi
tool --version
