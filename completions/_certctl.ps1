
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
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, for errors too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print the version, the commit and the date of this build (-V: one line)')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print the version, the commit and the date of this build (-V: one line)')
            [CompletionResult]::new('csr', 'csr', [CompletionResultType]::ParameterValue, 'Generate a private key and a certificate signing request (CSR)')
            [CompletionResult]::new('dcv-check', 'dcv-check', [CompletionResultType]::ParameterValue, 'Check whether the CA would see the validation record now, and if not, why')
            [CompletionResult]::new('install', 'install', [CompletionResultType]::ParameterValue, 'Deploy a certificate, reload the server and verify it live, or roll back')
            [CompletionResult]::new('renew', 'renew', [CompletionResultType]::ParameterValue, 'Prepare the renewal of due certificates: a new key and request; servers keep the current files')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show what is installed and served, what expires when, and what is pending')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Check that key, chain, names, dates and trust are right')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Show what a file contains or what a host serves (no verdict)')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explain a code, verdict, state or exit code of certctl')
            [CompletionResult]::new('bundle', 'bundle', [CompletionResultType]::ParameterValue, 'Write the files from the CA as a verified chain file or in another format')
            [CompletionResult]::new('rollback', 'rollback', [CompletionResultType]::ParameterValue, 'Restore the previous certificate')
            [CompletionResult]::new('forget', 'forget', [CompletionResultType]::ParameterValue, 'Stop managing a certificate; servers keep their files')
            [CompletionResult]::new('rehearse', 'rehearse', [CompletionResultType]::ParameterValue, 'Rehearse a renewal on this machine only, with a built-in CA, DNS server and web server')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            break
        }
        'certctl;csr' {
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'The reseller or CA that gets the request')
            [CompletionResult]::new('--key-type', '--key-type', [CompletionResultType]::ParameterName, 'Algorithm of the new key [default: ecdsa-p256]')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Use this existing private key (PEM, DER or PKCS#12); the file is not changed')
            [CompletionResult]::new('--like', '--like', [CompletionResultType]::ParameterName, 'Take names, subject and key algorithm from a certificate, a request or a server; command-line values take precedence')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'Subject in RFC 4514 notation, the most specific part first: ''CN=example.com,O=Acme\, Inc.,C=DE''; without a CN the first name is used')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'File whose first line is the password of encrypted files (zip, key, .pfx) [default: prompt on a terminal]')
            [CompletionResult]::new('--cert-name', '--cert-name', [CompletionResultType]::ParameterName, 'Base name of the files [default: the first name]')
            [CompletionResult]::new('--resolver', '--resolver', [CompletionResultType]::ParameterName, 'Resolver to query instead of the system''s (may be repeated); with a port other than 53, only this resolver is queried')
            [CompletionResult]::new('--allow', '--allow', [CompletionResultType]::ParameterName, 'Report the finding with this code as a warning instead of refusing (may be repeated)')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--encrypt-key', '--encrypt-key', [CompletionResultType]::ParameterName, 'Encrypt the new key (AES-256) with a password from a prompt or --password-file')
            [CompletionResult]::new('--check-caa', '--check-caa', [CompletionResultType]::ParameterName, 'Check whether the CAA records allow the CA to issue')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Make a new key and request; the old files are kept as numbered backups')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Check everything and show what would be written, and write nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, for errors too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;dcv-check' {
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Reseller or CA that received the request')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Validation method that was chosen at the CA')
            [CompletionResult]::new('--record', '--record', [CompletionResultType]::ParameterName, 'Record that the CA shows: a zone-file line, host and value, or an API response (may be repeated); - reads it from stdin')
            [CompletionResult]::new('--resolver', '--resolver', [CompletionResultType]::ParameterName, 'Resolver to query instead of the system''s (may be repeated); with a port other than 53, only this resolver is queried')
            [CompletionResult]::new('--batch', '--batch', [CompletionResultType]::ParameterName, 'Check every line of a file: a name, a request file, or a record (host and value); - reads stdin')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Repeat the check until the record is visible, for at most this time [without a value: 2h]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, for errors too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;install' {
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Private key of the certificate [default: the matching key in the working directory]')
            [CompletionResult]::new('--trust', '--trust', [CompletionResultType]::ParameterName, 'Trusted roots: mozilla, system, or a file of CA certificates [default: mozilla]')
            [CompletionResult]::new('--prefer', '--prefer', [CompletionResultType]::ParameterName, 'Preferred chain when several are possible: to the root that most clients trust, or the shortest')
            [CompletionResult]::new('--aia', '--aia', [CompletionResultType]::ParameterName, 'Download missing intermediates from the URLs in the certificates; =any also allows private addresses and a proxy')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'File whose first line is the password of encrypted files (zip, key, .pfx) [default: prompt on a terminal]')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Server that uses the certificate (may be repeated) [default: the servers whose configuration references it or has its names, else the running ones, else the only one that is installed; none under --root]')
            [CompletionResult]::new('--server-config', '--server-config', [CompletionResultType]::ParameterName, 'Main configuration file of the server; SERVER=FILE sets it for one of several servers')
            [CompletionResult]::new('--chain-path', '--chain-path', [CompletionResultType]::ParameterName, 'Path where servers read the chain [default: /etc/ssl/NAME.fullchain.pem]')
            [CompletionResult]::new('--key-path', '--key-path', [CompletionResultType]::ParameterName, 'Path where servers read the private key [default: /etc/ssl/private/NAME.key]')
            [CompletionResult]::new('--deploy', '--deploy', [CompletionResultType]::ParameterName, 'How servers get the files: link, or copy for containers, chroots and shared folders [default: the saved mode, else copy if a server would not see a link''s target, else link]')
            [CompletionResult]::new('--owner', '--owner', [CompletionResultType]::ParameterName, 'Owner of the private key: user, user:group or :group, as names or numbers')
            [CompletionResult]::new('--key-mode', '--key-mode', [CompletionResultType]::ParameterName, 'Mode of the private key: 0600, 0640, 0400 or 0440')
            [CompletionResult]::new('--cert-name', '--cert-name', [CompletionResultType]::ParameterName, 'Name of the certificate in /etc/ssl [default: the name of its request, else its first DNS name]')
            [CompletionResult]::new('--allow', '--allow', [CompletionResultType]::ParameterName, 'Report the finding with this code as a warning instead of refusing (may be repeated)')
            [CompletionResult]::new('--test', '--test', [CompletionResultType]::ParameterName, 'Command that tests the server''s configuration, run without a shell; auto restores the built-in command')
            [CompletionResult]::new('--reload', '--reload', [CompletionResultType]::ParameterName, 'Command that reloads the server, run without a shell; auto restores the built-in command')
            [CompletionResult]::new('--after', '--after', [CompletionResultType]::ParameterName, 'Command that is run once the new certificate was verified live, without a shell; auto forgets the saved command')
            [CompletionResult]::new('--hook-timeout', '--hook-timeout', [CompletionResultType]::ParameterName, 'How long the command of --after may take [default: 300s]')
            [CompletionResult]::new('--probe', '--probe', [CompletionResultType]::ParameterName, 'Additional address to probe after the install (may be repeated); none skips all probes in this run; auto forgets the saved addresses')
            [CompletionResult]::new('--starttls', '--starttls', [CompletionResultType]::ParameterName, 'Protocol that is spoken before TLS starts at the addresses of --probe; with several ports, at those whose number does not imply one [default: implied by the port]')
            [CompletionResult]::new('--paid-until', '--paid-until', [CompletionResultType]::ParameterName, 'Last day of the paid order term: until then a renewal is a reissue, afterwards a purchase; none forgets the date')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another certctl to finish [default: 60s]')
            [CompletionResult]::new('--plan', '--plan', [CompletionResultType]::ParameterName, 'Install only if the plan_id of a dry run (--dry-run --json) would be this one now')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Check that the installed files and the served certificate are unchanged; takes names of installed certificates [default: all] and changes nothing')
            [CompletionResult]::new('--placeholder', '--placeholder', [CompletionResultType]::ParameterName, 'Install a self-signed certificate for these names, valid for a week, so that the server can start; a single name stands for all names of its request in the working directory')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, for errors too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;renew' {
            [CompletionResult]::new('--renew-before', '--renew-before', [CompletionResultType]::ParameterName, 'How long before its expiry a certificate is due for renewal: days, hours (`36h`), or a percentage of its lifetime [default: 30 days or a third of the lifetime, whichever is less]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--reuse-key', '--reuse-key', [CompletionResultType]::ParameterName, 'Reuse the key of the certificate instead of generating a new one with the same algorithm')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be written, and write nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, for errors too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;status' {
            [CompletionResult]::new('--renew-before', '--renew-before', [CompletionResultType]::ParameterName, 'How long before its expiry a certificate is due for renewal: days, hours (`36h`), or a percentage of its lifetime [default: 30 days or a third of the lifetime, whichever is less]')
            [CompletionResult]::new('--prometheus', '--prometheus', [CompletionResultType]::ParameterName, 'Write metrics for Prometheus to this file (for node_exporter''s textfile collector)')
            [CompletionResult]::new('--ics', '--ics', [CompletionResultType]::ParameterName, 'Write a calendar of renewals and expiry dates to this file (iCalendar)')
            [CompletionResult]::new('--html', '--html', [CompletionResultType]::ParameterName, 'Write an HTML page to this file: every certificate on a timeline to 2029, with the dates on which CA rules change')
            [CompletionResult]::new('--starttls', '--starttls', [CompletionResultType]::ParameterName, 'Protocol that the hosts speak before TLS starts (STARTTLS) [default: implied by the port]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'Print one JSON object per line for each file and server as soon as it is read, without grouping them; the last line is a summary')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, for errors too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;verify' {
            [CompletionResult]::new('--chain', '--chain', [CompletionResultType]::ParameterName, 'Further certificates in any order; without a FILE, the first one is the server''s')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Private key that must match the certificate')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Host name that the certificate must cover (may be repeated)')
            [CompletionResult]::new('--starttls', '--starttls', [CompletionResultType]::ParameterName, 'Protocol that the server speaks before TLS starts (STARTTLS) [default: implied by the port]')
            [CompletionResult]::new('--trust', '--trust', [CompletionResultType]::ParameterName, 'Trusted roots: mozilla, system, or a file of CA certificates [default: mozilla; for an installed certificate, the roots it was installed with]')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'File whose first line is the password of encrypted files (zip, key, .pfx) [default: prompt on a terminal]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Treat warnings as errors, and apply the rules for public CAs to private CAs too')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, for errors too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;inspect' {
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Show the validation record that this CA or reseller expects for a request')
            [CompletionResult]::new('--starttls', '--starttls', [CompletionResultType]::ParameterName, 'Protocol that the server speaks before TLS starts (STARTTLS) [default: implied by the port]')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'File whose first line is the password of encrypted files (zip, key, .pfx) [default: prompt on a terminal]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, for errors too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;explain' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, for errors too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;bundle' {
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Private key of the certificate [default: the matching key in the working directory]')
            [CompletionResult]::new('--csr', '--csr', [CompletionResultType]::ParameterName, 'Certificate request (CSR) that was given to the CA [default: the matching request in the working directory]')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Host name that the certificate must cover (may be repeated)')
            [CompletionResult]::new('--trust', '--trust', [CompletionResultType]::ParameterName, 'Trusted roots: mozilla, system, or a file of CA certificates [default: mozilla]')
            [CompletionResult]::new('--prefer', '--prefer', [CompletionResultType]::ParameterName, 'Preferred chain when several are possible: to the root that most clients trust, or the shortest')
            [CompletionResult]::new('--aia', '--aia', [CompletionResultType]::ParameterName, 'Download missing intermediates from the URLs in the certificates; =any also allows private addresses and a proxy')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'File whose first line is the password of encrypted files (zip, key, .pfx) [default: prompt on a terminal]')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Output file, for a single format; - writes to stdout [default: NAME.fullchain.pem or similar in the directory]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Format to write (may be repeated) [default: pem]')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Write the formats that this server needs, and show its configuration lines (may be repeated)')
            [CompletionResult]::new('--pfx-password-file', '--pfx-password-file', [CompletionResultType]::ParameterName, 'File whose first line is the password for the new .pfx [default: prompt on a terminal]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--extract-key', '--extract-key', [CompletionResultType]::ParameterName, 'Write the private key that came with the certificate to NAME.key (mode 0600); never overwrites another key')
            [CompletionResult]::new('--legacy', '--legacy', [CompletionResultType]::ParameterName, 'Encrypt the .pfx with triple DES and SHA-1, for old Windows and Java versions')
            [CompletionResult]::new('--pfx-empty-password', '--pfx-empty-password', [CompletionResultType]::ParameterName, 'Protect the .pfx with an empty password')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, for errors too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;rollback' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Restore the version with this id, or the one that was live at this date or time [default: the version before the live one]')
            [CompletionResult]::new('--allow', '--allow', [CompletionResultType]::ParameterName, 'Restore a certificate even if it has the finding with this code')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another certctl to finish [default: 60s]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, for errors too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;forget' {
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another certctl to finish [default: 60s]')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, for errors too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only what needs action')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each command run, each file written and each query sent')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this help')
            break
        }
        'certctl;rehearse' {
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Web server: the built-in one, or the nginx of this machine on a free loopback port')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'Working directory: where names are looked up and new files are written [default: .]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Tree to install into instead of /')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Evaluate dates as of this time, such as 2027-05-11T00:00:00Z [default: now]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [default: auto]')
            [CompletionResult]::new('--step', '--step', [CompletionResultType]::ParameterName, 'Show each step when it has run, and wait for Enter before the next one')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, for errors too')
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
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on stdout, for errors too')
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
