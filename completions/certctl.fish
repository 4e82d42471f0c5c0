# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_certctl_global_optspecs
    string join \n json C/directory= root= at= q/quiet v/verbose color= h/help V/version
end

function __fish_certctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_certctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_certctl_using_subcommand
    set -l cmd (__fish_certctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c certctl -n "__fish_certctl_needs_command" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_needs_command" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_needs_command" -l at -d 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_needs_command" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_needs_command" -l json -d 'Print one JSON object on stdout, whatever happens'
complete -c certctl -n "__fish_certctl_needs_command" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_needs_command" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_needs_command" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_needs_command" -s V -l version -d 'Print the version, the commit and the date of this build (-V: one line)'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "csr" -d 'Make a private key and the request (CSR) for it'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "dcv-check" -d 'Would the CA see the proof of control now? If not, why'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "install" -d 'Put a certificate into place, test and reload the server, see it live, or put all back'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "renew" -d 'Prepare the next round for what is due: a new key and request; the pair that is served stays as it is'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "status" -d 'What is here, what is served, what ends when, what is pending'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "verify" -d 'Does it all fit: key, chain, names, dates, trust'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "inspect" -d 'What is this file, what does this host serve (never judges)'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "bundle" -d 'Whatever the CA sent, as the verified chain file or in another format'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "rollback" -d 'Back to the files before'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "forget" -d 'Certctl forgets a pair; servers go on with the files they read now'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "rehearse" -d 'The whole round on this machine alone, against a shop, a DNS server and a web server of its own'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "completions" -d 'A completion script for a shell'
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l ca -d 'The shop or CA that the request goes to' -r -f -a "namecheap\t'namecheap.com'
ssls\t'ssls.com'
sectigo\t'sectigo.com and most of its resellers; PositiveSSL, Comodo, Entrust'
zerossl\t'zerossl.com'
ssl.com\t'ssl.com'
gogetssl\t'gogetssl.com'
digicert\t'digicert.com; GeoTrust, RapidSSL, Thawte'
globalsign\t'globalsign.com; AlphaSSL'
godaddy\t'godaddy.com'
starfield\t'GoDaddy\'s other brand'
certum\t'certum.eu'
tencent\t'Tencent Cloud; TrustAsia'
aws-acm\t'AWS Certificate Manager'
private\t'A company\'s own CA: no proof in the DNS'"
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l key-type -d 'The kind of key [default: ecdsa-p256]' -r -f -a "ecdsa-p256\t''
ecdsa-p384\t''
ecdsa-p521\t''
rsa-2048\t''
rsa-3072\t''
rsa-4096\t''
ed25519\t''"
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l key -d 'A private key to use again, in any form; it stays where it is, as it is' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l like -d 'Take names, subject and kind of key from a certificate or request, or from what a server shows; what is given beside it goes before' -r
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l subject -d 'The subject as RFC 4514 writes it, the most specific part first: \'CN=example.com,O=Acme\\, Inc.,C=DE\'; without CN the first name is put before it' -r
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l password-file -d 'The password of what is locked (zip, key, .pfx) is the first line of this file [default: asked for on a terminal]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l cert-name -d 'What the files are called, instead of after the first name' -r
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l resolver -d 'Ask this resolver, not the system\'s; with a port other than 53 it alone is asked' -r
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l allow -d 'A finding that is not to refuse it, by its code (may be repeated)' -r
complete -c certctl -n "__fish_certctl_using_subcommand csr" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l at -d 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l encrypt-key -d 'Lock the new key with a password (AES-256), typed twice or from --password-file'
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l check-caa -d 'Ask the DNS whether CAA records let the CA issue'
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l force -d 'Make a new key and request; the old ones become numbered backups'
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l json -d 'Print one JSON object on stdout, whatever happens'
complete -c certctl -n "__fish_certctl_using_subcommand csr" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand csr" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand csr" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l ca -d 'The shop or CA that the request went to' -r -f -a "namecheap\t'namecheap.com'
ssls\t'ssls.com'
sectigo\t'sectigo.com and most of its resellers; PositiveSSL, Comodo, Entrust'
zerossl\t'zerossl.com'
ssl.com\t'ssl.com'
gogetssl\t'gogetssl.com'
digicert\t'digicert.com; GeoTrust, RapidSSL, Thawte'
globalsign\t'globalsign.com; AlphaSSL'
godaddy\t'godaddy.com'
starfield\t'GoDaddy\'s other brand'
certum\t'certum.eu'
tencent\t'Tencent Cloud; TrustAsia'
aws-acm\t'AWS Certificate Manager'
private\t'A company\'s own CA: no proof in the DNS'"
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l method -d 'What the CA looks at: a record in the DNS, a file on the web server, or mail' -r -f -a "dns\t'A record in the DNS'
http\t'A file on the web server'
email\t'An answer to an e-mail'"
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l record -d 'The record that the shop shows, as it is pasted: a zone-file line, host and value, an API\'s answer; \'-\' reads stdin' -r
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l resolver -d 'Ask this resolver, not the system\'s; with a port other than 53 it alone is asked' -r
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l batch -d 'Check what a list names, one line each (a name, a request\'s file, or a record: host and value); \'-\' is stdin' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l wait -d 'Look again and again until it is visible, for so long [without a value: 2h]' -r
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l at -d 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l json -d 'Print one JSON object on stdout, whatever happens'
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand install" -l key -d 'The private key, where it is not the one here that fits' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand install" -l trust -d 'Roots that the chain must end in: mozilla, or a file [default: mozilla]' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l prefer -d 'Which way, where the certificates have several: to the root that most clients know, or the shortest' -r -f -a "compatible\t'Through delivered cross-certificates as far as they lead: to the anchor that most clients know, old ones too'
shortest\t'To the nearest anchor: the fewest bytes in each handshake'"
complete -c certctl -n "__fish_certctl_using_subcommand install" -l aia -d 'Fetch issuers that are missing from where the certificates say they are; =any: also from this machine\'s own network, and through a proxy' -r -f -a "public\t'From public addresses alone'
any\t'From this machine and its own network too, and through the proxy of the environment'"
complete -c certctl -n "__fish_certctl_using_subcommand install" -l password-file -d 'The password of what is locked (zip, key, .pfx) is the first line of this file [default: asked for on a terminal]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand install" -l server -d 'Who reads the files; may be repeated [default: every server here that names them, else those installed; none under --root]' -r -f -a "apache\t'Apache 2.4'
haproxy\t'HAProxy'
nginx\t'nginx'
none\t'Nobody, or whoever `--test`, `--reload` and `--probe` are about'"
complete -c certctl -n "__fish_certctl_using_subcommand install" -l server-config -d 'The server\'s main configuration file; of several servers each its own:  --server-config haproxy=FILE' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand install" -l chain-path -d 'Where servers read the chain [default: /etc/ssl/NAME.fullchain.pem]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand install" -l key-path -d 'Where servers read the key [default: /etc/ssl/private/NAME.key]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand install" -l owner -d 'Who the key belongs to: user, user:group or :group, as names or numbers' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l key-mode -d 'The key\'s mode: 0600, 0640, 0400 or 0440' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l cert-name -d 'What the pair is called in /etc/ssl [default: as its request, else its first name]' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l allow -d 'A finding that is not to refuse it; it is still told (may be repeated)' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l test -d 'Tests the server\'s configuration; split into words, never given to a shell; auto: certctl\'s own way again' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l reload -d 'Makes the server read its files again; split into words, never given to a shell; auto: certctl\'s own way again' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l probe -d 'Also ask there what is served; none: ask nobody, in this run alone; auto: forget where else was asked' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l paid-until -d 'The last day of the term that is paid for: until then a round is a reissue, after it a purchase; none: forget it' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l lock-timeout -d 'How long to wait for another certctl [default: 60s]' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand install" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand install" -l at -d 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand install" -l dry-run -d 'Only show what would be done'
complete -c certctl -n "__fish_certctl_using_subcommand install" -l check -d 'Is all as it was installed, and served? Names pairs that are installed [default: all]; touches nothing'
complete -c certctl -n "__fish_certctl_using_subcommand install" -l placeholder -d 'A self-signed pair for these names (one: all of its request here), for a week, so that the server can start; where there is none yet'
complete -c certctl -n "__fish_certctl_using_subcommand install" -l json -d 'Print one JSON object on stdout, whatever happens'
complete -c certctl -n "__fish_certctl_using_subcommand install" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand install" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand install" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand renew" -l renew-before -d 'When a certificate is due: so long before its end, or with so much of its lifetime left [default: 30 days or a third, whichever is less]' -r
complete -c certctl -n "__fish_certctl_using_subcommand renew" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand renew" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand renew" -l at -d 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand renew" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand renew" -l reuse-key -d 'Use the key again that the certificate has, instead of a new one of its kind'
complete -c certctl -n "__fish_certctl_using_subcommand renew" -l dry-run -d 'Only show what would be done'
complete -c certctl -n "__fish_certctl_using_subcommand renew" -l json -d 'Print one JSON object on stdout, whatever happens'
complete -c certctl -n "__fish_certctl_using_subcommand renew" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand renew" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand renew" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand status" -l renew-before -d 'When a certificate is due: so long before its end, or with so much of its lifetime left [default: 30 days or a third, whichever is less]' -r
complete -c certctl -n "__fish_certctl_using_subcommand status" -l prometheus -d 'Write the rows as metrics for Prometheus (node_exporter\'s textfile collector)' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand status" -l ics -d 'Write what is to be done when as a calendar' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand status" -l html -d 'Write a page to look at: every certificate on a timeline to 2029, with the rules that change' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand status" -l starttls -d 'What the hosts speak before TLS [default: what their ports imply]' -r -f -a "smtp\t'Mail between servers (25) and from clients (587)'
imap\t'Mail boxes (143)'
pop3\t'Mail boxes (110)'
postgres\t'PostgreSQL (5432)'"
complete -c certctl -n "__fish_certctl_using_subcommand status" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand status" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand status" -l at -d 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand status" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand status" -l jsonl -d 'One JSON object a line for each file as it is read and each server as it answers, not joined with others; the last one is the sum'
complete -c certctl -n "__fish_certctl_using_subcommand status" -l json -d 'Print one JSON object on stdout, whatever happens'
complete -c certctl -n "__fish_certctl_using_subcommand status" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand status" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand status" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l chain -d 'Certificates in any order; without a FILE the first is the site\'s' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l key -d 'The private key that must fit' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l host -d 'A host that the certificate must be for (may be repeated)' -r
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l starttls -d 'What the server speaks before TLS [default: what its port implies]' -r -f -a "smtp\t'Mail between servers (25) and from clients (587)'
imap\t'Mail boxes (143)'
pop3\t'Mail boxes (110)'
postgres\t'PostgreSQL (5432)'"
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l trust -d 'Whom to trust: Mozilla\'s list, this system\'s roots, or a file of CA certificates' -r
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l password-file -d 'The password of what is locked (zip, key, .pfx) is the first line of this file [default: asked for on a terminal]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand verify" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l at -d 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l strict -d 'Refuse on warnings too, and hold a company\'s own CA to the rules for public ones'
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l json -d 'Print one JSON object on stdout, whatever happens'
complete -c certctl -n "__fish_certctl_using_subcommand verify" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand verify" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand verify" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -l ca -d 'The shop or CA whose record a request is shown with' -r -f -a "namecheap\t'namecheap.com'
ssls\t'ssls.com'
sectigo\t'sectigo.com and most of its resellers; PositiveSSL, Comodo, Entrust'
zerossl\t'zerossl.com'
ssl.com\t'ssl.com'
gogetssl\t'gogetssl.com'
digicert\t'digicert.com; GeoTrust, RapidSSL, Thawte'
globalsign\t'globalsign.com; AlphaSSL'
godaddy\t'godaddy.com'
starfield\t'GoDaddy\'s other brand'
certum\t'certum.eu'
tencent\t'Tencent Cloud; TrustAsia'
aws-acm\t'AWS Certificate Manager'
private\t'A company\'s own CA: no proof in the DNS'"
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -l starttls -d 'What the server speaks before TLS [default: what its port implies]' -r -f -a "smtp\t'Mail between servers (25) and from clients (587)'
imap\t'Mail boxes (143)'
pop3\t'Mail boxes (110)'
postgres\t'PostgreSQL (5432)'"
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -l password-file -d 'The password of what is locked (zip, key, .pfx) is the first line of this file [default: asked for on a terminal]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -l at -d 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -l json -d 'Print one JSON object on stdout, whatever happens'
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l key -d 'The private key that the certificate belongs to [default: found in the directory]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l csr -d 'The request that was given to the CA [default: found in the directory]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l host -d 'A host that the certificate must be for (may be repeated)' -r
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l trust -d 'Whom to trust: Mozilla\'s list, this system\'s roots, or a file of CA certificates' -r
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l prefer -d 'Which way, where the certificates have several: to the root that most clients know, or the shortest' -r -f -a "compatible\t'Through delivered cross-certificates as far as they lead: to the anchor that most clients know, old ones too'
shortest\t'To the nearest anchor: the fewest bytes in each handshake'"
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l aia -d 'Fetch issuers that are missing from where the certificates say they are; =any: also from this machine\'s own network, and through a proxy' -r -f -a "public\t'From public addresses alone'
any\t'From this machine and its own network too, and through the proxy of the environment'"
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l password-file -d 'The password of what is locked (zip, key, .pfx) is the first line of this file [default: asked for on a terminal]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l out -d 'Where the one format goes; - is stdout [default: NAME.fullchain.pem and the like, in the directory]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l format -d 'A format to write (may be repeated) [default: pem]' -r -f -a "pem\t'The certificate, then its intermediates: what most servers read'
cert\t'The certificate alone'
chain\t'The intermediates alone'
der\t'The certificate alone, in DER'
p7b\t'The certificate and its intermediates as PKCS#7'
pfx\t'Certificate, intermediates and key as PKCS#12, locked with a password'
haproxy\t'Certificate, intermediates and key in one PEM file'"
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l for -d 'A server: its formats are written, and the lines of its configuration shown (may be repeated)' -r -f -a "nginx\t'nginx'
apache\t'Apache 2.4.8 or newer'
haproxy\t'HAProxy'
postfix\t'Postfix 3.4 or newer'
dovecot\t'Dovecot'
tomcat\t'Tomcat 8.5 or newer'
iis\t'Windows Server 2019 or newer'
windows2016\t'Windows Server 2016 or older'
aws-acm\t'AWS Certificate Manager'"
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l pfx-password-file -d 'The password of the .pfx is the first line of this file [default: asked for]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l at -d 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l extract-key -d 'Write the private key that came with the certificate to NAME.key (0600), never over another'
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l legacy -d 'A .pfx that old Windows and Java read: triple DES and SHA-1'
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l pfx-empty-password -d 'A .pfx with the empty password'
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l json -d 'Print one JSON object on stdout, whatever happens'
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -l to -d 'Not the files before, but those of that id, or those that were live at that date' -r
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -l lock-timeout -d 'How long to wait for another certctl [default: 60s]' -r
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -l at -d 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -l dry-run -d 'Only show what would be done'
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -l json -d 'Print one JSON object on stdout, whatever happens'
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand forget" -l lock-timeout -d 'How long to wait for another certctl [default: 60s]' -r
complete -c certctl -n "__fish_certctl_using_subcommand forget" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand forget" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand forget" -l at -d 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand forget" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand forget" -l dry-run -d 'Only show what would be done'
complete -c certctl -n "__fish_certctl_using_subcommand forget" -l json -d 'Print one JSON object on stdout, whatever happens'
complete -c certctl -n "__fish_certctl_using_subcommand forget" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand forget" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand forget" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -l server -d 'The web server: one of its own, or the nginx of this machine on a free loopback port' -r -f -a "embedded\t'In this process'
nginx\t'The one that is installed here'"
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -l at -d 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -l json -d 'Print one JSON object on stdout, whatever happens'
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand completions" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand completions" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand completions" -l at -d 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand completions" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand completions" -l json -d 'Print one JSON object on stdout, whatever happens'
complete -c certctl -n "__fish_certctl_using_subcommand completions" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand completions" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand completions" -s h -l help -d 'Print this help'
