#!/usr/bin/env bash
# plan, apply, resume or drift. The exit code becomes an output; result.sh ends the job with it, after the comment.
# shellcheck source=common.sh
source "${BASH_SOURCE[0]%/*}/common.sh"
# shellcheck source=state.sh
source "${BASH_SOURCE[0]%/*}/state.sh"

manifest=()
[[ -z $MANIFEST ]] || manifest=("$MANIFEST")
read -r -a more <<<"$ARGUMENTS" || true
[[ -n $SCENARIO_SDK_API_KEY ]] || unset SCENARIO_SDK_API_KEY SCENARIO_SDK_API_SECRET
[[ -n $SCENARIO_BASE_URL ]] || unset SCENARIO_BASE_URL
log=$work/$COMMAND.log
: >"$log"

case $SAMPLES in
	none) ;;
	branch) [[ -n $STATE_BRANCH && -z $SAMPLES_URL ]] || fail "samples: branch needs the input state-branch, and no samples-url" ;;
	*) fail "the input samples takes none or branch" ;;
esac
[[ -z $SAMPLES_URL || $SAMPLES_URL =~ ^https?://[^[:space:]]+$ ]] || fail "the input samples-url takes an http(s) address"

need_credentials() {
	[[ -n ${SCENARIO_SDK_API_KEY:-} ]] || fail "$COMMAND needs the inputs api-key and api-secret"
}

# Run the tool with its output in the log of the job and in $log. A job that is cancelled ends it in order. Sets code.
# GitHub takes lines of a log that begin with `::` for commands, and a plan prints captions of whoever opened the pull request:
# no command counts until the word is said that nobody can know.
run_tool() {
	local pid reader stopped=1 word
	word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	printf '::stop-commands::%s\n' "$word"
	rm -f "$work/pipe"
	mkfifo "$work/pipe"
	tee -a "$log" <"$work/pipe" &
	reader=$!
	(exec "$venv/bin/python" -P -m scenario_apply "$@") >"$work/pipe" 2>&1 &
	pid=$!
	trap 'stopped=1; kill -TERM "$pid" 2>/dev/null || true' INT TERM
	while [[ $stopped == 1 ]]; do # a signal ends wait, but not the run
		stopped=0 code=0
		wait "$pid" || code=$?
	done
	trap - INT TERM
	wait "$reader"
	printf '\n::%s::\n' "$word"
}

# Small copies of samples on the branch of the state: comments link them at its commit.
samples_of_branch() {
	[[ $SAMPLES == branch && -d $states/$NAME.samples ]] || return 0
	SAMPLES_URL=$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/raw/$(git_state rev-parse HEAD)/$NAME.samples
}

keep_samples() {
	[[ $SAMPLES == branch ]] || return 0
	tool samples copy "$states/$NAME.samples" "${state_options[@]}" --download \
		|| printf '::warning title=scenario-apply::The small copies of samples could not be kept\n'
}

# One plan, printed in every format: the text in the log of the job, notes beside the lines of the pull request, Markdown
# for the summary, and the page with the pictures. The comment follows once the page has an address.
plan() {
	local options=(--out "$work/plan.json" --detailed-exitcode "${state_options[@]}" "${more[@]}")
	rm -f "$work"/plan.{json,md,html}
	if [[ -z ${SCENARIO_SDK_API_KEY:-} ]]; then
		options+=(--no-refresh)
		printf 'Planned without credentials, from what is recorded: Scenario was not asked, and prices are unknown.\n\n' >>"$GITHUB_STEP_SUMMARY"
	fi
	run_tool plan "${manifest[@]}" "${options[@]}"
	if [[ ! -s $work/plan.json ]]; then
		report 'The plan failed'
		return
	fi
	samples_of_branch
	output samples-url "$SAMPLES_URL"
	output plan "$work/plan.json"
	output body "$work/plan.json"
	show github
	show markdown --flavour github --comment-key "plan-$NAME" >"$work/plan.md"
	cat "$work/plan.md" >>"$GITHUB_STEP_SUMMARY"
	if [[ $HTML == true ]]; then
		local page=(html)
		[[ -z ${SCENARIO_SDK_API_KEY:-} ]] || page+=(--download-samples)
		show "${page[@]}" >"$work/plan.html"
		output page "$work/plan.html"
	fi
}

# The output of a run as the text of the comment and of the summary.
report() {
	output title "$1"
	output body "$log"
	tool ci comment --text "$log" --title "$1" --print >>"$GITHUB_STEP_SUMMARY"
}

apply_reviewed() {
	need_credentials
	local options=(--auto-approve --detailed-exitcode "${state_options[@]}" "${more[@]}")
	[[ $WAIT == true ]] || options+=(--no-wait)
	# --plan-of: who may push can replace the artifact, with a plan of other variables, or of everything once more.
	local before=
	[[ -z $STATE_BRANCH ]] || before=$(recorded)
	run_tool apply "$work/reviewed/plan.json" --plan-of "$MANIFEST" "${options[@]}"
	# A plan with trainings that run may be resumed without another review. One that was refused changes nothing about that.
	if [[ -n $STATE_BRANCH ]]; then
		case $code in
			3) cp "$work/reviewed/plan.json" "$states/$NAME.plan.json" ;;
			130) # cancelled: it was accepted if anything is recorded
				[[ $(recorded) == "$before" ]] || cp "$work/reviewed/plan.json" "$states/$NAME.plan.json"
				;;
			0 | 8) rm -f "$states/$NAME.plan.json" ;;
		esac
	fi
	case $code in 0 | 3 | 8) keep_samples ;; esac
	save_state apply
	case $code in
		0) report 'Applied' ;;
		3) report 'Applied; trainings are still running' ;;
		5) report 'Not applied: the plan is stale, plan again' ;;
		6) report 'Not applied: stopped by a limit' ;;
		7) report 'Not applied: another run holds the state' ;;
		8) report 'Partly applied' ;;
		*) report 'Not applied, or not to the end' ;;
	esac
}

# Finish the reviewed plan: see what has ended, start what waited for it, and nothing else.
resume() {
	need_credentials
	[[ -n $STATE_BRANCH ]] || fail "resume needs the input state-branch"
	if [[ ! -e $states/$NAME.plan.json ]]; then
		code=0
		echo 'There is no reviewed plan to resume.'
		return
	fi
	run_tool plan "${manifest[@]}" --out "$work/now.json" --detailed-exitcode "${state_options[@]}" "${more[@]}"
	case $code in 0 | 2 | 3) ;; *) report 'The plan failed' && return ;; esac
	run_tool ci continues "$states/$NAME.plan.json" "$work/now.json" --detailed-exitcode
	if [[ $code != 0 ]]; then
		report 'Not resumed: there is more than what was reviewed'
		return
	fi
	run_tool apply "$work/now.json" --plan-of "$MANIFEST" --auto-approve --no-wait --detailed-exitcode "${state_options[@]}" "${more[@]}"
	case $code in 0 | 8) rm -f "$states/$NAME.plan.json" ;; esac
	case $code in 0 | 3 | 8) keep_samples ;; esac
	save_state resume
	report 'Resumed'
}

drift() {
	need_credentials
	run_tool plan "${manifest[@]}" --refresh-only --detailed-exitcode "${state_options[@]}" "${more[@]}"
	local title="Scenario differs from what is recorded ($NAME)"
	case $code in
		0)
			[[ $ISSUE != true ]] || tool ci issue --close --title "$title" --name "drift-$NAME"
			;;
		4)
			[[ $ISSUE != true ]] || tool ci issue --text "$log" --title "$title" --name "drift-$NAME"
			report "$title"
			;;
		*) report 'The check failed' ;;
	esac
}

load_state
case $COMMAND in
	plan) plan ;;
	apply) apply_reviewed ;;
	resume) resume ;;
	drift) drift ;;
esac
output exit-code "$code"
