#!/usr/bin/env bash
# From the merged commit to the artifact with the plan that was reviewed.
# shellcheck source=common.sh
source "${BASH_SOURCE[0]%/*}/common.sh"

rm -rf "$work/reviewed"
tool ci reviewed "scenario-plan-$NAME" | tee -a "$GITHUB_OUTPUT"
