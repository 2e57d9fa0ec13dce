#!/bin/bash
# completion.sh - what bash offers after `firebreak completion bash`, typed as people type it. TAP.
#
# usage: tests/cli/completion.sh build/firebreak
set -u
firebreak=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
mkdir acme
# shellcheck disable=SC1090
source <("$firebreak" completion bash)
points=0 failed=0

# A server knows these groups, and none for another program.
printf '%s\n' '#!/bin/sh' '[ "$1 $2" = "group list" ] && printf "%s\n" "GROUP   DEVICES  RELEASES" "office  40       latest" "tills   12       edr: pinned to 4"' >knows
printf '%s\n' '#!/bin/sh' 'echo "no server" >&2' 'exit 69' >lonely
chmod +x knows lonely

# offers "WORDS WANTED" WORD...: the last word is the one under the cursor
offers() {
        local wanted=$1
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        _firebreak
        points=$((points + 1))
        if [ "${COMPREPLY[*]}" = "$wanted" ]; then
                echo "ok $points - $*"
        else
                echo "not ok $points - $*: ${COMPREPLY[*]:-nothing}, not $wanted"
                failed=1
        fi
}

offers "root rollout" firebreak ro
offers "show" firebreak rollout sh
offers "--budget" firebreak rollout start --bu
offers "--budget" firebreak rollout start edr-rules/1 --bu
offers "acme" firebreak init a
offers "new" firebreak keys ne
offers "list" firebreak log l
offers "--every" firebreak log cosign https://w --ev
offers "acme" firebreak keys list a
offers "--new-passphrase-file --no-passphrase" firebreak keys passphrase k.pem --n
offers "--name --no-passphrase" firebreak init --n
offers "acme" firebreak release sign edr-rules/1 --publisher a
offers "--json" firebreak status --j
offers "bash" firebreak completion b
offers "july-19" firebreak replay july-19
offers "rings" firebreak replay july-19 --policy ri
offers "all-at-once all" firebreak replay july-19 --policy al
offers "acme" firebreak replay july-19 --html a
offers "./acme" firebreak replay ./a
offers "lab" firebreak help la
offers "office tills" ./knows group show ""
offers "tills" ./knows group set ti
offers "--pin" ./knows group set --pi
offers "--pin" ./knows group set tills --pi
offers "office" ./knows token new --group o
offers "" ./lonely group show ""
offers "" firebreak help zzz
echo "1..$points"
exit $failed
