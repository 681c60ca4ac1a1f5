#!/usr/bin/env bash
# Bring the comment of the pull request up to date.
# shellcheck source=common.sh
source "${BASH_SOURCE[0]%/*}/common.sh"

options=(--name "$COMMAND-$NAME" --behaviour "$BEHAVIOUR")
[[ -z $REQUEST ]] || options+=(--request "$REQUEST")
if [[ $BODY == *.json ]]; then
	if [[ -n $PAGE_URL ]]; then # again, with links to the page where the text is shortened
		show markdown --flavour github --comment-key "$COMMAND-$NAME" --report-url "$PAGE_URL" >"$work/plan.md"
		options+=(--link "Pictures and captions=$PAGE_URL")
	fi
	told=$(tool ci comment "$work/plan.md" "${options[@]}")
else
	told=$(tool ci comment --text "$BODY" --title "$TITLE" "${options[@]}")
fi
echo "$told"
output comment "$told"
