#!/usr/bin/env bash
# Bring the comment of the pull request up to date.
# shellcheck source=common.sh
source "${BASH_SOURCE[0]%/*}/common.sh"

options=(--name "$COMMAND-$NAME" --behaviour "$BEHAVIOUR")
[[ -z $REQUEST ]] || options+=(--request "$REQUEST")
[[ -z $PAGE_URL ]] || options+=(--link "Pictures and captions=$PAGE_URL")
if [[ $BODY == *.md ]]; then
	told=$(tool ci comment "$BODY" "${options[@]}")
else
	told=$(tool ci comment --text "$BODY" --title "$TITLE" "${options[@]}")
fi
echo "$told"
output comment "$told"
