# Completes with the generated function; where a command takes a name, also with the names that certctl knows. What certctl
# prints is data: each name is quoted.
_certctl_with_names() {
    _certctl "$@"
    case $2 in
        -*) return 0 ;;
    esac
    local answer line kind=
    local -a names=()
    answer=$(command certctl completions names -- "${COMP_WORDS[@]:0:COMP_CWORD}" "$2" 2>/dev/null) || return 0
    while IFS= read -r line; do
        if [[ -z $kind ]]; then
            kind=$line
        else
            names+=("$(printf '%q' "$line")")
        fi
    done <<<"$answer"
    if [[ ${#names[@]} -eq 0 ]]; then
        return 0
    fi
    COMPREPLY=("${names[@]}")
    if [[ $kind = names-or-files ]]; then
        while IFS= read -r line; do
            if [[ -z $line ]]; then
                continue
            elif [[ -d $line ]]; then
                COMPREPLY+=("$(printf '%q' "$line")/")
            else
                COMPREPLY+=("$(printf '%q' "$line")")
            fi
        done <<<"$(compgen -f -- "$2")"
    fi
    return 0
}
