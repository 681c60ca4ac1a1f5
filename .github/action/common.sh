# shellcheck shell=bash
# What the scripts of the Action share; sourced. Values come from the environment and are never evaluated.
set -euo pipefail

fail() {
	printf '::error title=scenario-apply::%s\n' "$1" >&2
	exit 1
}

# pull_request_target runs with the secrets of this repository, and a checkout of the pull request in it is the code of
# somebody else. There is no input that allows it.
case ${GITHUB_EVENT_NAME:-} in
	pull_request_target | workflow_run | issue_comment) fail "the Action does not run on ${GITHUB_EVENT_NAME}: use pull_request (docs/gitops.md)" ;;
esac
case $COMMAND:${GITHUB_EVENT_NAME:-} in
	plan:* | drift:* ) ;;
	apply:pull_request | resume:pull_request) fail "$COMMAND runs after the merge, not on a pull request" ;;
	apply:* | resume:*) ;;
	*) fail "the command is plan, apply, resume or drift" ;;
esac
[[ $NAME =~ ^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$ && $NAME != *--* ]] || fail "the input name takes letters, digits, dot, dash and underscore"

work=$RUNNER_TEMP/scenario-apply
venv=$work/venv

# -P: no module comes from the working folder, which is a checkout of somebody's pull request.
tool() { "$venv/bin/python" -P -m scenario_apply "$@"; }

output() { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; }

# The saved plan in another format; nothing is asked for it. Its exit codes say what is in the plan.
show() {
	local options=(--format "$@" --quiet --detailed-exitcode) shown=0
	[[ $1 != markdown || -z ${SAMPLES_URL:-} ]] || options+=(--samples-url "$SAMPLES_URL")
	if [[ -n $STATE_URL ]]; then
		options+=(--state "$STATE_URL")
	elif [[ -n $STATE_BRANCH ]]; then
		options+=(--state "$work/states/$NAME.json")
	fi
	tool plan "$work/plan.json" "${options[@]}" || shown=$?
	case $shown in 0 | 2 | 3 | 5 | 6) ;; *) fail "the plan cannot be shown" ;; esac
}
