
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
            cand install 'Put a certificate into place, test and reload the server, see it live, or put all back'
            cand verify 'Does it all fit: key, chain, names, dates, trust'
            cand inspect 'What is this file (never judges)'
            cand bundle 'Whatever the CA sent, as the verified chain file'
            cand rollback 'Back to the files before'
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
            cand --key 'The private key, where it is not the one here that fits'
            cand --trust 'Roots that the chain must end in: mozilla, or a file [default: mozilla]'
            cand --server 'Who reads the files [default: nginx where it is installed; none under --root]'
            cand --server-config 'The server''s main configuration file'
            cand --chain-path 'Where servers read the chain [default: /etc/ssl/NAME.fullchain.pem]'
            cand --key-path 'Where servers read the key [default: /etc/ssl/private/NAME.key]'
            cand --test 'Tests the server''s configuration; split into words, never given to a shell'
            cand --reload 'Makes the server read its files again; split into words, never given to a shell'
            cand --probe 'Also ask there what is served; none: ask nobody'
            cand --lock-timeout 'How long to wait for another certctl [default: 60s]'
            cand -C 'Where names are looked up and files go'
            cand --directory 'Where names are looked up and files go'
            cand --root 'A tree to install into instead of /'
            cand --at 'The instant that dates are judged by, such as 2027-05-11T00:00:00Z'
            cand --color 'When to use colour'
            cand --dry-run 'Only show what would be done'
            cand --json 'One JSON object on stdout, whatever happens'
            cand -q 'Only what needs action'
            cand --quiet 'Only what needs action'
            cand -v 'More of what is being done'
            cand --verbose 'More of what is being done'
            cand -h 'This help'
            cand --help 'This help'
        }
        &'certctl;verify'= {
            cand --chain 'Certificates in any order; without a FILE the first is the site''s'
            cand --key 'The private key that must fit'
            cand --host 'A host that the certificate must be for (may be repeated)'
            cand --trust 'Whom to trust: mozilla or a file of CA certificates'
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
            cand --ca 'The shop or CA whose record a request is shown with'
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
            cand --key 'The private key that the certificate belongs to [default: found in the directory]'
            cand --csr 'The request that was given to the CA [default: found in the directory]'
            cand --out 'Where the chain goes; - is stdout [default: NAME.fullchain.pem]'
            cand --trust 'Whom to trust: mozilla or a file of CA certificates'
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
            cand --lock-timeout 'How long to wait for another certctl [default: 60s]'
            cand -C 'Where names are looked up and files go'
            cand --directory 'Where names are looked up and files go'
            cand --root 'A tree to install into instead of /'
            cand --at 'The instant that dates are judged by, such as 2027-05-11T00:00:00Z'
            cand --color 'When to use colour'
            cand --dry-run 'Only show what would be done'
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
