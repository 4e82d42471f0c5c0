# Adds the names that certctl knows, where a command takes a name.
_certctl_names() {
    local answer expl
    local -a lines names
    answer="$(command certctl completions names -- "${(@Q)words[1,CURRENT-1]}" "$PREFIX" 2>/dev/null)" || return 1
    lines=("${(@f)answer}")
    names=(${(@)lines[2,-1]})
    (( $#names )) || return 1
    _wanted names expl 'known name' compadd -a names
}
