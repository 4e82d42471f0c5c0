
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'certctl' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'certctl'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'certctl' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, whatever happens')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print the version, the commit and the date of this build (-V: one line)')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print the version, the commit and the date of this build (-V: one line)')
            [CompletionResult]::new('csr', 'csr', [CompletionResultType]::ParameterValue, 'Make a private key and the request (CSR) for it')
            [CompletionResult]::new('dcv-check', 'dcv-check', [CompletionResultType]::ParameterValue, 'Would the CA see the proof of control now? If not, why')
            [CompletionResult]::new('install', 'install', [CompletionResultType]::ParameterValue, 'Put a certificate into place, test and reload the server, see it live, or put all back')
            [CompletionResult]::new('renew', 'renew', [CompletionResultType]::ParameterValue, 'Prepare the next round for what is due: a new key and request; the pair that is served stays as it is')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'What is here, what is served, what ends when, what is pending')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Does it all fit: key, chain, names, dates, trust')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'What is this file, what does this host serve (never judges)')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explain a code, verdict, state or exit code of certctl')
            [CompletionResult]::new('bundle', 'bundle', [CompletionResultType]::ParameterValue, 'Whatever the CA sent, as the verified chain file or in another format')
            [CompletionResult]::new('rollback', 'rollback', [CompletionResultType]::ParameterValue, 'Back to the files before')
            [CompletionResult]::new('forget', 'forget', [CompletionResultType]::ParameterValue, 'Certctl forgets a pair; servers go on with the files they read now')
            [CompletionResult]::new('rehearse', 'rehearse', [CompletionResultType]::ParameterValue, 'The whole round on this machine alone, against a shop, a DNS server and a web server of its own')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'A completion script for a shell')
            break
        }
        'certctl;csr' {
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'The shop or CA that the request goes to')
            [CompletionResult]::new('--key-type', '--key-type', [CompletionResultType]::ParameterName, 'The kind of key [default: ecdsa-p256]')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'A private key to use again, in any form; it stays where it is, as it is')
            [CompletionResult]::new('--like', '--like', [CompletionResultType]::ParameterName, 'Take names, subject and kind of key from a certificate or request, or from what a server shows; what is given beside it goes before')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'The subject as RFC 4514 writes it, the most specific part first: ''CN=example.com,O=Acme\, Inc.,C=DE''; without CN the first name is put before it')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'The password of what is locked (zip, key, .pfx) is the first line of this file [default: asked for on a terminal]')
            [CompletionResult]::new('--cert-name', '--cert-name', [CompletionResultType]::ParameterName, 'What the files are called, instead of after the first name')
            [CompletionResult]::new('--resolver', '--resolver', [CompletionResultType]::ParameterName, 'Ask this resolver, not the system''s; with a port other than 53 it alone is asked')
            [CompletionResult]::new('--allow', '--allow', [CompletionResultType]::ParameterName, 'A finding that is not to refuse it, by its code (may be repeated)')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--encrypt-key', '--encrypt-key', [CompletionResultType]::ParameterName, 'Lock the new key with a password (AES-256), typed twice or from --password-file')
            [CompletionResult]::new('--check-caa', '--check-caa', [CompletionResultType]::ParameterName, 'Ask the DNS whether CAA records let the CA issue')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Make a new key and request; the old ones become numbered backups')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, whatever happens')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;dcv-check' {
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'The shop or CA that the request went to')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'What the CA looks at: a record in the DNS, a file on the web server, or mail')
            [CompletionResult]::new('--record', '--record', [CompletionResultType]::ParameterName, 'The record that the shop shows, as it is pasted: a zone-file line, host and value, an API''s answer; ''-'' reads stdin')
            [CompletionResult]::new('--resolver', '--resolver', [CompletionResultType]::ParameterName, 'Ask this resolver, not the system''s; with a port other than 53 it alone is asked')
            [CompletionResult]::new('--batch', '--batch', [CompletionResultType]::ParameterName, 'Check what a list names, one line each (a name, a request''s file, or a record: host and value); ''-'' is stdin')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Look again and again until it is visible, for so long [without a value: 2h]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, whatever happens')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;install' {
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'The private key, where it is not the one here that fits')
            [CompletionResult]::new('--trust', '--trust', [CompletionResultType]::ParameterName, 'Roots that the chain must end in: mozilla, or a file [default: mozilla]')
            [CompletionResult]::new('--prefer', '--prefer', [CompletionResultType]::ParameterName, 'Which way, where the certificates have several: to the root that most clients know, or the shortest')
            [CompletionResult]::new('--aia', '--aia', [CompletionResultType]::ParameterName, 'Fetch issuers that are missing from where the certificates say they are; =any: also from this machine''s own network, and through a proxy')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'The password of what is locked (zip, key, .pfx) is the first line of this file [default: asked for on a terminal]')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Who reads the files; may be repeated [default: every server here that names them, else those installed; none under --root]')
            [CompletionResult]::new('--server-config', '--server-config', [CompletionResultType]::ParameterName, 'The server''s main configuration file; of several servers each its own:  --server-config haproxy=FILE')
            [CompletionResult]::new('--chain-path', '--chain-path', [CompletionResultType]::ParameterName, 'Where servers read the chain [default: /etc/ssl/NAME.fullchain.pem]')
            [CompletionResult]::new('--key-path', '--key-path', [CompletionResultType]::ParameterName, 'Where servers read the key [default: /etc/ssl/private/NAME.key]')
            [CompletionResult]::new('--owner', '--owner', [CompletionResultType]::ParameterName, 'Who the key belongs to: user, user:group or :group, as names or numbers')
            [CompletionResult]::new('--key-mode', '--key-mode', [CompletionResultType]::ParameterName, 'The key''s mode: 0600, 0640, 0400 or 0440')
            [CompletionResult]::new('--cert-name', '--cert-name', [CompletionResultType]::ParameterName, 'What the pair is called in /etc/ssl [default: as its request, else its first name]')
            [CompletionResult]::new('--allow', '--allow', [CompletionResultType]::ParameterName, 'A finding that is not to refuse it; it is still told (may be repeated)')
            [CompletionResult]::new('--test', '--test', [CompletionResultType]::ParameterName, 'Tests the server''s configuration; split into words, never given to a shell; auto: certctl''s own way again')
            [CompletionResult]::new('--reload', '--reload', [CompletionResultType]::ParameterName, 'Makes the server read its files again; split into words, never given to a shell; auto: certctl''s own way again')
            [CompletionResult]::new('--probe', '--probe', [CompletionResultType]::ParameterName, 'Also ask there what is served; none: ask nobody, in this run alone; auto: forget where else was asked')
            [CompletionResult]::new('--paid-until', '--paid-until', [CompletionResultType]::ParameterName, 'The last day of the term that is paid for: until then a round is a reissue, after it a purchase; none: forget it')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another certctl [default: 60s]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Is all as it was installed, and served? Names pairs that are installed [default: all]; touches nothing')
            [CompletionResult]::new('--placeholder', '--placeholder', [CompletionResultType]::ParameterName, 'A self-signed pair for these names (one: all of its request here), for a week, so that the server can start; where there is none yet')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, whatever happens')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;renew' {
            [CompletionResult]::new('--renew-before', '--renew-before', [CompletionResultType]::ParameterName, 'When a certificate is due: so long before its end, or with so much of its lifetime left [default: 30 days or a third, whichever is less]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--reuse-key', '--reuse-key', [CompletionResultType]::ParameterName, 'Use the key again that the certificate has, instead of a new one of its kind')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, whatever happens')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;status' {
            [CompletionResult]::new('--renew-before', '--renew-before', [CompletionResultType]::ParameterName, 'When a certificate is due: so long before its end, or with so much of its lifetime left [default: 30 days or a third, whichever is less]')
            [CompletionResult]::new('--prometheus', '--prometheus', [CompletionResultType]::ParameterName, 'Write the rows as metrics for Prometheus (node_exporter''s textfile collector)')
            [CompletionResult]::new('--ics', '--ics', [CompletionResultType]::ParameterName, 'Write what is to be done when as a calendar')
            [CompletionResult]::new('--html', '--html', [CompletionResultType]::ParameterName, 'Write a page to look at: every certificate on a timeline to 2029, with the rules that change')
            [CompletionResult]::new('--starttls', '--starttls', [CompletionResultType]::ParameterName, 'What the hosts speak before TLS [default: what their ports imply]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'One JSON object a line for each file as it is read and each server as it answers, not joined with others; the last one is the sum')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, whatever happens')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;verify' {
            [CompletionResult]::new('--chain', '--chain', [CompletionResultType]::ParameterName, 'Certificates in any order; without a FILE the first is the site''s')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'The private key that must fit')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'A host that the certificate must be for (may be repeated)')
            [CompletionResult]::new('--starttls', '--starttls', [CompletionResultType]::ParameterName, 'What the server speaks before TLS [default: what its port implies]')
            [CompletionResult]::new('--trust', '--trust', [CompletionResultType]::ParameterName, 'Whom to trust: Mozilla''s list, this system''s roots, or a file of CA certificates')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'The password of what is locked (zip, key, .pfx) is the first line of this file [default: asked for on a terminal]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Refuse on warnings too, and hold a company''s own CA to the rules for public ones')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, whatever happens')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;inspect' {
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'The shop or CA whose record a request is shown with')
            [CompletionResult]::new('--starttls', '--starttls', [CompletionResultType]::ParameterName, 'What the server speaks before TLS [default: what its port implies]')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'The password of what is locked (zip, key, .pfx) is the first line of this file [default: asked for on a terminal]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, whatever happens')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;explain' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Where names are looked up and files go [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Where names are looked up and files go [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'A tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'The instant that dates are judged by, such as 2027-05-11T00:00:00Z')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON object on stdout, whatever happens')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'More of what is being done')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'More of what is being done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'This help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'This help')
            break
        }
        'certctl;bundle' {
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'The private key that the certificate belongs to [default: found in the directory]')
            [CompletionResult]::new('--csr', '--csr', [CompletionResultType]::ParameterName, 'The request that was given to the CA [default: found in the directory]')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'A host that the certificate must be for (may be repeated)')
            [CompletionResult]::new('--trust', '--trust', [CompletionResultType]::ParameterName, 'Whom to trust: Mozilla''s list, this system''s roots, or a file of CA certificates')
            [CompletionResult]::new('--prefer', '--prefer', [CompletionResultType]::ParameterName, 'Which way, where the certificates have several: to the root that most clients know, or the shortest')
            [CompletionResult]::new('--aia', '--aia', [CompletionResultType]::ParameterName, 'Fetch issuers that are missing from where the certificates say they are; =any: also from this machine''s own network, and through a proxy')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'The password of what is locked (zip, key, .pfx) is the first line of this file [default: asked for on a terminal]')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Where the one format goes; - is stdout [default: NAME.fullchain.pem and the like, in the directory]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'A format to write (may be repeated) [default: pem]')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'A server: its formats are written, and the lines of its configuration shown (may be repeated)')
            [CompletionResult]::new('--pfx-password-file', '--pfx-password-file', [CompletionResultType]::ParameterName, 'The password of the .pfx is the first line of this file [default: asked for]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--extract-key', '--extract-key', [CompletionResultType]::ParameterName, 'Write the private key that came with the certificate to NAME.key (0600), never over another')
            [CompletionResult]::new('--legacy', '--legacy', [CompletionResultType]::ParameterName, 'A .pfx that old Windows and Java read: triple DES and SHA-1')
            [CompletionResult]::new('--pfx-empty-password', '--pfx-empty-password', [CompletionResultType]::ParameterName, 'A .pfx with the empty password')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, whatever happens')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;rollback' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Not the files before, but those of that id, or those that were live at that date')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another certctl [default: 60s]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, whatever happens')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;forget' {
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another certctl [default: 60s]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, whatever happens')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;rehearse' {
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'The web server: one of its own, or the nginx of this machine on a free loopback port')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, whatever happens')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;completions' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, whatever happens')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
