#!/usr/bin/env bash
# End the job: changes in a plan and running trainings are no failures; all other codes are.
# shellcheck source=common.sh
source "${BASH_SOURCE[0]%/*}/common.sh"

[[ -z $UNSAVED ]] || exit 1
case $COMMAND:$CODE in
	*:0 | plan:2 | *:3) ;;
	*) exit "${CODE:-1}" ;;
esac
