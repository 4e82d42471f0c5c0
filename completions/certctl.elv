
use builtin;
use str;

set edit:completion:arg-completer[certctl] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'certctl'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'certctl'= {
            cand -C 'Where names are looked up and files go'
            cand --directory 'Where names are looked up and files go'
            cand --root 'A tree to install into instead of /'
            cand --at 'The instant that dates are judged by, such as 2027-05-11T00:00:00Z'
            cand --color 'When to use colour'
            cand --json 'One JSON object on stdout, whatever happens'
            cand -q 'Only what needs action'
            cand --quiet 'Only what needs action'
            cand -v 'More of what is being done'
            cand --verbose 'More of what is being done'
            cand -h 'This help'
            cand --help 'This help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand csr 'Make a private key and the request (CSR) for it'
            cand dcv-check 'Would the CA see the proof of control now? If not, why'
            cand install 'Arguments'
            cand verify 'Arguments'
            cand inspect 'Arguments'
            cand bundle 'Arguments'
            cand rollback 'Arguments'
            cand rehearse 'The whole round on this machine alone, against a shop, a DNS server and a web server of its own'
            cand completions 'A completion script for a shell'
        }
        &'certctl;csr'= {
            cand --ca 'The shop or CA that the request goes to'
            cand --key-type 'The kind of key [default: ecdsa-p256]'
            cand --cert-name 'What the files are called, instead of after the first name'
            cand -C 'Where names are looked up and files go'
            cand --directory 'Where names are looked up and files go'
            cand --root 'A tree to install into instead of /'
            cand --at 'The instant that dates are judged by, such as 2027-05-11T00:00:00Z'
            cand --color 'When to use colour'
            cand --force 'Make a new key and request; the old ones become numbered backups'
            cand --json 'One JSON object on stdout, whatever happens'
            cand -q 'Only what needs action'
            cand --quiet 'Only what needs action'
            cand -v 'More of what is being done'
            cand --verbose 'More of what is being done'
            cand -h 'This help'
            cand --help 'This help'
        }
        &'certctl;dcv-check'= {
            cand --ca 'The shop or CA that the request went to'
            cand --record 'The record that the shop shows: a zone-file line, or host and value; ''-'' reads it from stdin'
            cand --resolver 'Ask this resolver, not the system''s; with a port other than 53 it alone is asked'
            cand --wait 'Look again and again until it is visible, for so long [without a value: 2h]'
            cand -C 'Where names are looked up and files go'
            cand --directory 'Where names are looked up and files go'
            cand --root 'A tree to install into instead of /'
            cand --at 'The instant that dates are judged by, such as 2027-05-11T00:00:00Z'
            cand --color 'When to use colour'
            cand --json 'One JSON object on stdout, whatever happens'
            cand -q 'Only what needs action'
            cand --quiet 'Only what needs action'
            cand -v 'More of what is being done'
            cand --verbose 'More of what is being done'
            cand -h 'This help'
            cand --help 'This help'
        }
        &'certctl;install'= {
            cand -C 'Where names are looked up and files go'
            cand --directory 'Where names are looked up and files go'
            cand --root 'A tree to install into instead of /'
            cand --at 'The instant that dates are judged by, such as 2027-05-11T00:00:00Z'
            cand --color 'When to use colour'
            cand --json 'One JSON object on stdout, whatever happens'
            cand -q 'Only what needs action'
            cand --quiet 'Only what needs action'
            cand -v 'More of what is being done'
            cand --verbose 'More of what is being done'
            cand -h 'This help'
            cand --help 'This help'
        }
        &'certctl;verify'= {
            cand -C 'Where names are looked up and files go'
            cand --directory 'Where names are looked up and files go'
            cand --root 'A tree to install into instead of /'
            cand --at 'The instant that dates are judged by, such as 2027-05-11T00:00:00Z'
            cand --color 'When to use colour'
            cand --json 'One JSON object on stdout, whatever happens'
            cand -q 'Only what needs action'
            cand --quiet 'Only what needs action'
            cand -v 'More of what is being done'
            cand --verbose 'More of what is being done'
            cand -h 'This help'
            cand --help 'This help'
        }
        &'certctl;inspect'= {
            cand -C 'Where names are looked up and files go'
            cand --directory 'Where names are looked up and files go'
            cand --root 'A tree to install into instead of /'
            cand --at 'The instant that dates are judged by, such as 2027-05-11T00:00:00Z'
            cand --color 'When to use colour'
            cand --json 'One JSON object on stdout, whatever happens'
            cand -q 'Only what needs action'
            cand --quiet 'Only what needs action'
            cand -v 'More of what is being done'
            cand --verbose 'More of what is being done'
            cand -h 'This help'
            cand --help 'This help'
        }
        &'certctl;bundle'= {
            cand -C 'Where names are looked up and files go'
            cand --directory 'Where names are looked up and files go'
            cand --root 'A tree to install into instead of /'
            cand --at 'The instant that dates are judged by, such as 2027-05-11T00:00:00Z'
            cand --color 'When to use colour'
            cand --json 'One JSON object on stdout, whatever happens'
            cand -q 'Only what needs action'
            cand --quiet 'Only what needs action'
            cand -v 'More of what is being done'
            cand --verbose 'More of what is being done'
            cand -h 'This help'
            cand --help 'This help'
        }
        &'certctl;rollback'= {
            cand -C 'Where names are looked up and files go'
            cand --directory 'Where names are looked up and files go'
            cand --root 'A tree to install into instead of /'
            cand --at 'The instant that dates are judged by, such as 2027-05-11T00:00:00Z'
            cand --color 'When to use colour'
            cand --json 'One JSON object on stdout, whatever happens'
            cand -q 'Only what needs action'
            cand --quiet 'Only what needs action'
            cand -v 'More of what is being done'
            cand --verbose 'More of what is being done'
            cand -h 'This help'
            cand --help 'This help'
        }
        &'certctl;rehearse'= {
            cand --server 'The web server: one of its own, or the nginx of this machine on a free loopback port'
            cand -C 'Where names are looked up and files go'
            cand --directory 'Where names are looked up and files go'
            cand --root 'A tree to install into instead of /'
            cand --at 'The instant that dates are judged by, such as 2027-05-11T00:00:00Z'
            cand --color 'When to use colour'
            cand --json 'One JSON object on stdout, whatever happens'
            cand -q 'Only what needs action'
            cand --quiet 'Only what needs action'
            cand -v 'More of what is being done'
            cand --verbose 'More of what is being done'
            cand -h 'This help'
            cand --help 'This help'
        }
        &'certctl;completions'= {
            cand -C 'Where names are looked up and files go'
            cand --directory 'Where names are looked up and files go'
            cand --root 'A tree to install into instead of /'
            cand --at 'The instant that dates are judged by, such as 2027-05-11T00:00:00Z'
            cand --color 'When to use colour'
            cand --json 'One JSON object on stdout, whatever happens'
            cand -q 'Only what needs action'
            cand --quiet 'Only what needs action'
            cand -v 'More of what is being done'
            cand --verbose 'More of what is being done'
            cand -h 'This help'
            cand --help 'This help'
        }
    ]
    $completions[$command]
}
