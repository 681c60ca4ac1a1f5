#!/usr/bin/env bash
# Bring the comment of the pull request up to date.
# shellcheck source=common.sh
source "${BASH_SOURCE[0]%/*}/common.sh"

options=(--name "$COMMAND-$NAME" --behaviour "$BEHAVIOUR")
[[ -z $REQUEST ]] || options+=(--request "$REQUEST")
if [[ $BODY == *.json ]]; then
	shown=(markdown --flavour github --comment-key "$COMMAND-$NAME")
	[[ -z $PAGE_URL ]] || shown+=(--report-url "$PAGE_URL") options+=(--link "Pictures and captions=$PAGE_URL")
	show "${shown[@]}" >"$work/comment.md"
	told=$(tool ci comment "$work/comment.md" "${options[@]}")
else
	told=$(tool ci comment --text "$BODY" --title "$TITLE" "${options[@]}")
fi
echo "$told"
output comment "$told"
