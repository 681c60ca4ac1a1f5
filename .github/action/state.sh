# shellcheck shell=bash
# The branch that keeps the states and the plans to resume; sourced. A state in a store is not on it. It has a folder of its own: nothing of it comes from the checkout, so that a
# pull request cannot bring a state along. Links on the branch become plain files: nothing is written through them. A push
# that is not the newest is refused, so that no state is written over.
states=$work/states
state=$states/$NAME.json

authorization="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$GITHUB_TOKEN" | base64 | tr -d '\n')"

git_state() {
	GIT_CONFIG_COUNT=3 GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1 \
		GIT_CONFIG_KEY_0="http.$GITHUB_SERVER_URL/.extraheader" \
		GIT_CONFIG_VALUE_0="$authorization" \
		GIT_CONFIG_KEY_1=core.hooksPath GIT_CONFIG_VALUE_1=/dev/null \
		GIT_CONFIG_KEY_2=core.symlinks GIT_CONFIG_VALUE_2=false \
		git -C "$states" "$@"
}

# Sets state_options.
load_state() {
	state_options=()
	if [[ -n $STATE_URL ]]; then
		[[ $STATE_URL == *://* ]] || fail "the input state takes a URL, such as s3://BUCKET/kael.json: a file in the checkout may come with a pull request"
		state_options=(--state "$STATE_URL")
	fi
	[[ -n $STATE_BRANCH ]] || return 0
	git check-ref-format "refs/heads/$STATE_BRANCH" || fail "the input state-branch is not the name of a branch"
	rm -rf "$states"
	mkdir -p "$states"
	git_state init --quiet --initial-branch=state
	git_state remote add origin "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY"
	local found=0
	git_state ls-remote --exit-code origin "refs/heads/$STATE_BRANCH" >/dev/null || found=$?
	case $found in
		0)
			git_state fetch --quiet --depth=1 origin "refs/heads/$STATE_BRANCH"
			git_state reset --quiet --hard FETCH_HEAD
			;;
		2) echo "the branch $STATE_BRANCH does not exist yet: nothing is recorded" ;;
		*) fail "the branch $STATE_BRANCH cannot be read" ;;
	esac
	if [[ -z $STATE_URL ]]; then
		state_options=(--state "$state")
	elif [[ -e $state ]]; then
		fail "the branch $STATE_BRANCH still has $NAME.json: move it to the store with \`scenario-apply state migrate\`, and remove it from the branch"
	fi
}

# What tells whether a run has recorded anything.
recorded() {
	if [[ -n $STATE_URL ]]; then
		tool state pull "${state_options[@]}" 2>/dev/null | sha256sum || true
	else
		git_state status --porcelain -- "$NAME.json"
	fi
}

# Commit and push the state of this manifest, with the journal of a run that did not end, and the plan to resume.
save_state() {
	[[ -n $STATE_BRANCH ]] || return 0
	local file
	for file in "$NAME.json" "$NAME.journal" "$NAME.plan.json"; do
		if [[ -e $states/$file ]]; then
			git_state add --force -- "$file"
		else
			git_state rm --quiet --cached --ignore-unmatch -- "$file"
		fi
	done
	[[ ! -d $states/$NAME.samples ]] || git_state add --force --all -- "$NAME.samples"
	if git_state rev-parse --quiet --verify HEAD >/dev/null; then
		! git_state diff --cached --quiet || return 0
	else
		[[ -n $(git_state ls-files) ]] || return 0
	fi
	git_state -c user.name='github-actions[bot]' -c user.email='41898282+github-actions[bot]@users.noreply.github.com' \
		commit --quiet --message "$NAME: $1 at ${GITHUB_SHA:0:12}" --message "Run: $GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID"
	local try
	for try in 1 2 3 4 5; do
		if git_state push --quiet origin "HEAD:refs/heads/$STATE_BRANCH"; then
			return 0
		fi
		# The states of other manifests are in files of their own. A conflict means that this state has moved: stop.
		if git_state fetch --quiet origin "refs/heads/$STATE_BRANCH" \
			&& ! git_state -c user.name=x -c user.email=x@invalid rebase --quiet FETCH_HEAD; then
			git_state rebase --abort
			break
		fi
		sleep "$((try * ${PUSH_WAIT:-2}))"
	done
	output unsaved-state "$states"
	local lost="The state could not be pushed to $STATE_BRANCH. It is an artifact of this run: push it before anything is applied again, or trainings are paid for twice"
	[[ -z $STATE_URL ]] || lost="The plan to resume could not be pushed to $STATE_BRANCH: plan and apply again once the trainings have ended"
	printf '::error title=scenario-apply::%s\n' "$lost" >&2
}
