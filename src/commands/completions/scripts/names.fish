# Prints the names that certctl knows, where a command takes an argument of this kind.
function __fish_certctl_names
    command -q certctl
    or return 1
    set -l typed (commandline -ct)
    set -l answer (command certctl completions names -- (commandline -opc) "$typed" 2>/dev/null)
    or return 1
    test (count $answer) -gt 1
    and test $answer[1] = $argv[1]
    or return 1
    printf '%s\n' $answer[2..-1]
end

complete -c certctl -f -n "__fish_certctl_names names >/dev/null" -a "(__fish_certctl_names names)"
complete -c certctl -n "__fish_certctl_names names-or-files >/dev/null" -a "(__fish_certctl_names names-or-files)"
