#!/bin/bash
# completion.sh - what bash offers after `firebreak-agent completion bash`, typed as people type it. TAP.
#
# usage: tests/agent/completion.sh build/firebreak-agent
set -u
agent=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
touch agent.yaml
# shellcheck disable=SC1090
source <("$agent" completion bash)
points=0 failed=0

say() {         # say CODE WHAT
        points=$((points + 1))
        if [ "$1" = 0 ]; then echo "ok $points - $2"; else echo "not ok $points - $2"; failed=1; fi
}

offers() {      # offers "WORDS WANTED" WORD...: the last word is the one under the cursor
        local wanted=$1
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        _firebreak_agent
        [ "${COMPREPLY[*]}" = "$wanted" ]
        say $? "$* offers: ${COMPREPLY[*]:-nothing}"
}

offers "recover" firebreak-agent rec
offers "--version" firebreak-agent --v
offers "status" firebreak-agent help st
offers "zsh" firebreak-agent completion z
offers "--dry-run" firebreak-agent recover --root /mnt --d
offers "good factory safe" firebreak-agent recover --to ""
offers "agent.yaml" firebreak-agent status --config a
offers "./agent.yaml" firebreak-agent ask quarantine ./a
offers "" firebreak-agent ask --stream ""
offers "" firebreak-agent verify --

# Every command of the help and each of its options is offered, and none that is only said between its own programs.
missing=
while read -r name _; do
        COMP_WORDS=(firebreak-agent "$name") COMP_CWORD=1 COMPREPLY=() && _firebreak_agent
        [ "${COMPREPLY[*]}" = "$name" ] || missing+=" $name"
        for option in $("$agent" help "$name" | grep -o '^  *--[a-z-]*' | tr -d ' '); do
                COMP_WORDS=(firebreak-agent "$name" "$option") COMP_CWORD=2 COMPREPLY=() && _firebreak_agent
                [[ " ${COMPREPLY[*]} " = *" $option "* ]] || missing+=" $name:$option"
        done
done < <("$agent" help | sed -n '/^commands:/,/^$/s/^  \([a-z]\)/\1/p')
[ -z "$missing" ]
say $? "all that help tells of is offered${missing:+; not:$missing}"
"$agent" completion fish 2>said
[ $? = 64 ] && grep -q 'there is bash and zsh' said
say $? "another shell: $(cat said)"
"$agent" completion 2>said
[ $? = 64 ]
say $? "no shell: $(cat said)"
script=$("$agent" completion zsh) && [[ $script = '#compdef firebreak-agent'* ]]
say $? "zsh's script says what it is for"
if command -v zsh >/dev/null; then
        zsh -n <<<"$script"
        say $? "zsh reads its script"
fi
echo "1..$points"
exit $failed
