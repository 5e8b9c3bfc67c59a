# offered.bash SCRIPT WORD...: what SCRIPT offers after `vsync WORD...`, of which the last is being typed; a line each.
source "$1"
shift
COMP_WORDS=(vsync "$@")
COMP_CWORD=$#
_vsync
[ "${#COMPREPLY[@]}" = 0 ] || printf '%s\n' "${COMPREPLY[@]}"
