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
complete -c certctl -n "__fish_certctl_needs_command" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_needs_command" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_needs_command" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_needs_command" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_needs_command" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_needs_command" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_needs_command" -s V -l version -d 'Print the version, the commit and the date of this build (-V: one line)'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "csr" -d 'Create a key and a certificate signing request (CSR)'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "dcv-check" -d 'Check whether the CA would see the validation record now'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "dcv-publish" -d 'Publish the validation record through a DNS provider\'s API'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "order" -d 'Order a certificate through an API, and install it'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "install" -d 'Deploy a certificate and verify it; roll back on failure'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "renew" -d 'Order what is due again, or prepare the next request'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "status" -d 'Show what is installed, served and pending, and expires when'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "verify" -d 'Check that key, chain, names, dates and trust are right'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "inspect" -d 'Show what a file contains or what a host serves (no verdict)'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "doctor" -d 'Find out why a site does not work, and what repairs it'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "explain" -d 'Explain a code, a term, or another program\'s error message'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "rollback" -d 'Restore the previous certificate'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "bundle" -d 'Write the files from the CA as a verified chain file'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "site" -d 'Write a site\'s server block, test it and verify the page'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "account" -d 'Show, move and secure the accounts at CAs'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "import" -d 'Take over certificates and accounts of certbot, acme.sh, lego'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "revoke" -d 'Revoke certificates that are not in use'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "forget" -d 'Stop managing a certificate; servers keep their files'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "rehearse" -d 'Rehearse a renewal on this machine only'
complete -c certctl -n "__fish_certctl_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l ca -d 'The reseller or CA that gets the request' -r -f -a "namecheap\t'namecheap.com'
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
private\t'A company\'s own CA: no domain validation'"
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l key-type -d 'Algorithm of the new key [default: ecdsa-p256]' -r -f -a "ecdsa-p256\t''
ecdsa-p384\t''
ecdsa-p521\t''
rsa-2048\t''
rsa-3072\t''
rsa-4096\t''
ed25519\t''"
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l key -d 'Use this existing private key (PEM, DER or PKCS#12); the file is not changed' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l like -d 'Take names, subject and key algorithm from a certificate, a request or a server; command-line values take precedence' -r
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l subject -d 'Subject in RFC 4514 notation, the most specific part first: \'CN=example.com,O=Acme\\, Inc.,C=DE\'; without a CN the first name is used' -r
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l password-file -d 'File whose first line is the password of encrypted files (zip, key, .pfx) [default: prompt on a terminal]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l cert-name -d 'Base name of the files [default: the first name]' -r
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l resolver -d 'Resolver to query instead of the system\'s (may be repeated); with a port other than 53, only this resolver is queried' -r
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l allow -d 'Report the finding with this code as a warning instead of refusing (may be repeated)' -r
complete -c certctl -n "__fish_certctl_using_subcommand csr" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l encrypt-key -d 'Encrypt the new key (AES-256) with a password from a prompt or --password-file'
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l check-caa -d 'Check whether the CAA records allow the CA to issue'
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l force -d 'Make a new key and request; the old files are kept as numbered backups'
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l dry-run -d 'Check everything and show what would be written, and write nothing'
complete -c certctl -n "__fish_certctl_using_subcommand csr" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand csr" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand csr" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand csr" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l ca -d 'Reseller or CA that received the request' -r -f -a "namecheap\t'namecheap.com'
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
private\t'A company\'s own CA: no domain validation'"
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l method -d 'Validation method that was chosen at the CA' -r -f -a "dns\t'A record in the DNS'
http\t'A file on the web server'
email\t'An answer to an email'"
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l record -d 'Record that the CA shows: a zone-file line, host and value, or an API response (may be repeated); - reads it from stdin' -r
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l resolver -d 'Resolver to query instead of the system\'s (may be repeated); with a port other than 53, only this resolver is queried' -r
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l batch -d 'Check every line of a file: a name, a request file, or a record (host and value); - reads stdin' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l wait -d 'Repeat the check until the record is visible, for at most this time [without a value: 2h]' -r
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand dcv-check" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -l dns -d 'DNS provider: alidns (Alibaba Cloud DNS), cloudflare, rfc2136 (a name server that accepts updates), lexicon:NAME (a provider of dns-lexicon) or exec:PROGRAM; @PROFILE chooses other credentials [default: `dns` in config.toml]' -r
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -l record -d 'Record that the CA shows: a zone-file line, host and value, or an API response (may be repeated); - reads it from stdin' -r
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -l resolver -d 'Resolver to query instead of the system\'s (may be repeated); with a port other than 53, only this resolver is queried' -r
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -l ca -d 'Reseller or CA that received the request' -r -f -a "namecheap\t'namecheap.com'
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
private\t'A company\'s own CA: no domain validation'"
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -l wait -d 'Query the zone\'s servers until all of them have the record, for at most this time [without a value: 2h; without this option: 60s]' -r
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -l replace -d 'Full value of an existing CNAME record that may be replaced' -r
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -l allow -d 'Report this finding as a warning instead of failing: unchecked-record (the zone\'s servers cannot be queried from here)' -r
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -l hook-timeout -d 'Time limit of the program of exec: [default: 300s]' -r
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -l remove -d 'Remove the records that certctl has published for these names [default: for the requests of this folder]'
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -l dry-run -d 'Show what would be changed, and change nothing'
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand dcv-publish" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand order" -l ca -d 'CA: letsencrypt, letsencrypt-staging (a test, not installed), zerossl, ssl.com, sectigo, google, digicert, globalsign, actalis, the URL of an ACME directory, or namecheap' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l webroot -d 'Folder from which the web server of the names serves files: validation files are written to its .well-known/acme-challenge (may be repeated, with NAME= for one of several names)' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l standalone -d 'Serve validation files with certctl\'s own server, at port 80 of all addresses or at ADDR' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l dns -d 'DNS provider through which validation records are published instead of files: alidns, cloudflare, rfc2136, lexicon:NAME, exec:PROGRAM [default: `dns` in config.toml]' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l resolver -d 'Resolver to query instead of the system\'s (may be repeated)' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l email -d 'Mail address that the CA may use, for a new account; at namecheap, of the administrator' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l eab-kid -d 'Key id of an external account binding, for a new account at a CA that requires one' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l eab-hmac-key-file -d 'File with the HMAC key of the external account binding' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand order" -l profile -d 'Profile of the certificate, if the CA offers several' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l certificate -d 'Number of the certificate in the account at namecheap: one that was bought is activated, an active one is reissued' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l buy -d 'Buy this product at namecheap, once, and activate it' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l years -d 'For how many years it is bought, 1 to 5' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l trust -d 'Trusted roots of the CA and of its API: mozilla, system, or a file of CA certificates [default: the saved one, else mozilla]' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l cert-name -d 'Name of the certificate in /etc/ssl [default: the first name]' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l server -d 'Server that uses the certificate (may be repeated) [default: the servers whose configuration references it or has its names, else the running ones, else the only one that is installed; none under --root]' -r -f -a "apache\t'Apache 2.4'
haproxy\t'HAProxy'
nginx\t'nginx'
caddy\t'Caddy 2'
dovecot\t'Dovecot'
exim\t'Exim'
lighttpd\t'lighttpd'
mariadb\t'MariaDB'
mosquitto\t'mosquitto'
openldap\t'OpenLDAP'
postfix\t'Postfix'
postgres\t'PostgreSQL'
squid\t'squid'
stunnel\t'stunnel'
vsftpd\t'vsftpd'
none\t'No known server; another one is controlled with --test, --reload and --probe'"
complete -c certctl -n "__fish_certctl_using_subcommand order" -l server-config -d 'Main configuration file of the server; SERVER=FILE sets it for one of several servers' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand order" -l chain-path -d 'Path where servers read the chain [default: /etc/ssl/NAME.fullchain.pem]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand order" -l key-path -d 'Path where servers read the private key [default: /etc/ssl/private/NAME.key]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand order" -l deploy -d 'How servers get the files: link, or copy for containers, chroots and shared folders [default: the saved mode, else copy if a server would not see a link\'s target, else link]' -r -f -a "link\t'Links to the live release: chain and key change in one rename'
copy\t'Plain files, each replaced by a rename: for containers, chroots and shared folders'"
complete -c certctl -n "__fish_certctl_using_subcommand order" -l owner -d 'Owner of the private key: user, user:group or :group, as names or numbers' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l key-mode -d 'Mode of the private key: 0600, 0640, 0400 or 0440' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l also -d 'Further file for another reader of the certificate (may be repeated): pem, cert, chain, key or combined (key and certificates in one file); it is switched, verified and rolled back with the others; auto forgets the saved ones' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l test -d 'Command that tests the server\'s configuration, run without a shell (may be repeated); auto restores the built-in command' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l reload -d 'Command that reloads the server, run without a shell (may be repeated, in this order); auto restores the built-in command' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l after -d 'Command that is run once the new certificate was verified live, without a shell; auto forgets the saved command' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l hook-timeout -d 'How long the command of --after may take [default: 300s]' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l probe -d 'Additional address to probe after the install (may be repeated); none skips all probes in this run; auto forgets the saved addresses' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l starttls -d 'Protocol that is spoken before TLS starts at the addresses of --probe; with several ports, at those whose number does not imply one [default: implied by the port]' -r -f -a "smtp\t'SMTP: mail transfer and submission (ports 25, 587)'
lmtp\t'LMTP: mail delivery (port 24)'
imap\t'IMAP: mailbox access (port 143)'
pop3\t'POP3: mailbox download (port 110)'
sieve\t'ManageSieve: mail filters (port 4190)'
ftp\t'FTP: file transfer (port 21)'
ldap\t'LDAP: directory (port 389)'
xmpp\t'XMPP: chat (ports 5222, 5269)'
mysql\t'MySQL and MariaDB database connections (port 3306)'
postgres\t'PostgreSQL database connections (port 5432)'
nntp\t'NNTP: news (port 119)'"
complete -c certctl -n "__fish_certctl_using_subcommand order" -l lock-timeout -d 'How long to wait for another certctl to finish [default: 60s]' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l allow -d 'Report this finding as a warning instead of refusing: a code of `install --allow`, or challenge-file-unchecked (the validation file cannot be fetched from here), unchecked-record (the zone\'s servers cannot be queried from here)' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand order" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand order" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand order" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand order" -l agree-tos -d 'Agree to the CA\'s terms of service, for a new account'
complete -c certctl -n "__fish_certctl_using_subcommand order" -l accept-charges -d 'Accept what the certificate costs, or may cost'
complete -c certctl -n "__fish_certctl_using_subcommand order" -l expand -d 'Replace the certificate by one with more names'
complete -c certctl -n "__fish_certctl_using_subcommand order" -l force -d 'Order although the certificate is not due, or the CA\'s limit is near'
complete -c certctl -n "__fish_certctl_using_subcommand order" -l no-install -d 'Write key, request and chain to the working directory, and install nothing'
complete -c certctl -n "__fish_certctl_using_subcommand order" -l dry-run -d 'Show what would be done; order and change nothing'
complete -c certctl -n "__fish_certctl_using_subcommand order" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand order" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand order" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand order" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand install" -l key -d 'Private key of the certificate; none if the key is not a file (a hardware module): installs the chain alone [default: the matching key in the working directory]' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l trust -d 'Trusted roots: mozilla, system, or a file of CA certificates [default: mozilla]' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l prefer -d 'Preferred chain when several are possible: to the root that most clients trust, or the shortest' -r -f -a "compatible\t'The chain through all cross-certificates that were given, to the anchor that most clients trust, including old ones'
shortest\t'The chain to the nearest anchor, with the fewest bytes in each handshake'"
complete -c certctl -n "__fish_certctl_using_subcommand install" -l aia -d 'Download missing intermediates from the URLs in the certificates; =any also allows private addresses and a proxy' -r -f -a "public\t'From public addresses alone'
any\t'From this machine and its own network too, and through the proxy of the environment'"
complete -c certctl -n "__fish_certctl_using_subcommand install" -l password-file -d 'File whose first line is the password of encrypted files (zip, key, .pfx) [default: prompt on a terminal]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand install" -l server -d 'Server that uses the certificate (may be repeated) [default: the servers whose configuration references it or has its names, else the running ones, else the only one that is installed; none under --root]' -r -f -a "apache\t'Apache 2.4'
haproxy\t'HAProxy'
nginx\t'nginx'
caddy\t'Caddy 2'
dovecot\t'Dovecot'
exim\t'Exim'
lighttpd\t'lighttpd'
mariadb\t'MariaDB'
mosquitto\t'mosquitto'
openldap\t'OpenLDAP'
postfix\t'Postfix'
postgres\t'PostgreSQL'
squid\t'squid'
stunnel\t'stunnel'
vsftpd\t'vsftpd'
none\t'No known server; another one is controlled with --test, --reload and --probe'"
complete -c certctl -n "__fish_certctl_using_subcommand install" -l server-config -d 'Main configuration file of the server; SERVER=FILE sets it for one of several servers' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand install" -l chain-path -d 'Path where servers read the chain [default: /etc/ssl/NAME.fullchain.pem]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand install" -l key-path -d 'Path where servers read the private key [default: /etc/ssl/private/NAME.key]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand install" -l deploy -d 'How servers get the files: link, or copy for containers, chroots and shared folders [default: the saved mode, else copy if a server would not see a link\'s target, else link]' -r -f -a "link\t'Links to the live release: chain and key change in one rename'
copy\t'Plain files, each replaced by a rename: for containers, chroots and shared folders'"
complete -c certctl -n "__fish_certctl_using_subcommand install" -l owner -d 'Owner of the private key: user, user:group or :group, as names or numbers' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l key-mode -d 'Mode of the private key: 0600, 0640, 0400 or 0440' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l also -d 'Further file for another reader of the certificate (may be repeated): pem, cert, chain, key or combined (key and certificates in one file); it is switched, verified and rolled back with the others; auto forgets the saved ones' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l test -d 'Command that tests the server\'s configuration, run without a shell (may be repeated); auto restores the built-in command' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l reload -d 'Command that reloads the server, run without a shell (may be repeated, in this order); auto restores the built-in command' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l after -d 'Command that is run once the new certificate was verified live, without a shell; auto forgets the saved command' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l hook-timeout -d 'How long the command of --after may take [default: 300s]' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l probe -d 'Additional address to probe after the install (may be repeated); none skips all probes in this run; auto forgets the saved addresses' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l starttls -d 'Protocol that is spoken before TLS starts at the addresses of --probe; with several ports, at those whose number does not imply one [default: implied by the port]' -r -f -a "smtp\t'SMTP: mail transfer and submission (ports 25, 587)'
lmtp\t'LMTP: mail delivery (port 24)'
imap\t'IMAP: mailbox access (port 143)'
pop3\t'POP3: mailbox download (port 110)'
sieve\t'ManageSieve: mail filters (port 4190)'
ftp\t'FTP: file transfer (port 21)'
ldap\t'LDAP: directory (port 389)'
xmpp\t'XMPP: chat (ports 5222, 5269)'
mysql\t'MySQL and MariaDB database connections (port 3306)'
postgres\t'PostgreSQL database connections (port 5432)'
nntp\t'NNTP: news (port 119)'"
complete -c certctl -n "__fish_certctl_using_subcommand install" -l lock-timeout -d 'How long to wait for another certctl to finish [default: 60s]' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l cert-name -d 'Name of the certificate in /etc/ssl [default: the name of its request, else its first DNS name]' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l allow -d 'Report the finding with this code as a warning instead of refusing (may be repeated)' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l paid-until -d 'Last day of the paid order term: until then a renewal is a reissue, afterwards a purchase; none forgets the date' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l plan -d 'Install only if the plan_id of a dry run (--dry-run --json) would be this one now' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand install" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand install" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand install" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand install" -l dry-run -d 'Show what would be done, and change nothing'
complete -c certctl -n "__fish_certctl_using_subcommand install" -l check -d 'Check that the installed files and the served certificate are unchanged; takes names of installed certificates [default: all] and changes nothing'
complete -c certctl -n "__fish_certctl_using_subcommand install" -l placeholder -d 'Install a self-signed certificate for these names, valid for a week, so that the server can start; a single name stands for all names of its request in the working directory'
complete -c certctl -n "__fish_certctl_using_subcommand install" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand install" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand install" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand install" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand renew" -l renew-before -d 'How long before its expiry a certificate is due for renewal: days, hours (`36h`), or a percentage of its lifetime [default: 30 days or a third of the lifetime, whichever is less]' -r
complete -c certctl -n "__fish_certctl_using_subcommand renew" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand renew" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand renew" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand renew" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand renew" -l reuse-key -d 'Reuse the key of the certificate instead of generating a new one with the same algorithm; saved for a certificate that is ordered'
complete -c certctl -n "__fish_certctl_using_subcommand renew" -l force -d 'Renew these names now, with a new key; a saved `--reuse-key` is forgotten'
complete -c certctl -n "__fish_certctl_using_subcommand renew" -l no-install -d 'Order what is due and write it to a file, and install nothing'
complete -c certctl -n "__fish_certctl_using_subcommand renew" -l dry-run -d 'Show what would be done; order, write and install nothing'
complete -c certctl -n "__fish_certctl_using_subcommand renew" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand renew" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand renew" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand renew" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand status" -l renew-before -d 'How long before its expiry a certificate is due for renewal: days, hours (`36h`), or a percentage of its lifetime [default: 30 days or a third of the lifetime, whichever is less]' -r
complete -c certctl -n "__fish_certctl_using_subcommand status" -l prometheus -d 'Write metrics for Prometheus to this file (for node_exporter\'s textfile collector)' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand status" -l ics -d 'Write a calendar of renewals and expiry dates to this file (iCalendar)' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand status" -l html -d 'Write an HTML page to this file: every certificate on a timeline to 2029, with the dates on which CA rules change' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand status" -l crl -d 'Download the CRL that each certificate names, and check whether it was revoked; =any also allows private addresses and a proxy' -r -f -a "public\t'From public addresses alone'
any\t'From this machine and its own network too, and through the proxy of the environment'"
complete -c certctl -n "__fish_certctl_using_subcommand status" -l starttls -d 'Protocol that the hosts speak before TLS starts (STARTTLS) [default: implied by the port]' -r -f -a "smtp\t'SMTP: mail transfer and submission (ports 25, 587)'
lmtp\t'LMTP: mail delivery (port 24)'
imap\t'IMAP: mailbox access (port 143)'
pop3\t'POP3: mailbox download (port 110)'
sieve\t'ManageSieve: mail filters (port 4190)'
ftp\t'FTP: file transfer (port 21)'
ldap\t'LDAP: directory (port 389)'
xmpp\t'XMPP: chat (ports 5222, 5269)'
mysql\t'MySQL and MariaDB database connections (port 3306)'
postgres\t'PostgreSQL database connections (port 5432)'
nntp\t'NNTP: news (port 119)'"
complete -c certctl -n "__fish_certctl_using_subcommand status" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand status" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand status" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand status" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand status" -l jsonl -d 'Print one JSON object per line for each file and server as soon as it is read, without grouping them; the last line is a summary'
complete -c certctl -n "__fish_certctl_using_subcommand status" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand status" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand status" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand status" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l chain -d 'Further certificates in any order; without a FILE, the first one is the server\'s' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l key -d 'Private key that must match the certificate' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l host -d 'Host name that the certificate must cover (may be repeated)' -r
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l starttls -d 'Protocol that the server speaks before TLS starts (STARTTLS) [default: implied by the port]' -r -f -a "smtp\t'SMTP: mail transfer and submission (ports 25, 587)'
lmtp\t'LMTP: mail delivery (port 24)'
imap\t'IMAP: mailbox access (port 143)'
pop3\t'POP3: mailbox download (port 110)'
sieve\t'ManageSieve: mail filters (port 4190)'
ftp\t'FTP: file transfer (port 21)'
ldap\t'LDAP: directory (port 389)'
xmpp\t'XMPP: chat (ports 5222, 5269)'
mysql\t'MySQL and MariaDB database connections (port 3306)'
postgres\t'PostgreSQL database connections (port 5432)'
nntp\t'NNTP: news (port 119)'"
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l trust -d 'Trusted roots: mozilla, system, or a file of CA certificates [default: mozilla; for a name with an installed certificate, the roots that it was installed with]' -r
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l password-file -d 'File whose first line is the password of encrypted files (zip, key, .pfx) [default: prompt on a terminal]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand verify" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l strict -d 'Treat warnings as errors, and apply the rules for public CAs to private CAs too'
complete -c certctl -n "__fish_certctl_using_subcommand verify" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand verify" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand verify" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand verify" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -l ca -d 'Show the validation record that this CA or reseller expects for a request' -r -f -a "namecheap\t'namecheap.com'
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
private\t'A company\'s own CA: no domain validation'"
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -l starttls -d 'Protocol that the server speaks before TLS starts (STARTTLS) [default: implied by the port]' -r -f -a "smtp\t'SMTP: mail transfer and submission (ports 25, 587)'
lmtp\t'LMTP: mail delivery (port 24)'
imap\t'IMAP: mailbox access (port 143)'
pop3\t'POP3: mailbox download (port 110)'
sieve\t'ManageSieve: mail filters (port 4190)'
ftp\t'FTP: file transfer (port 21)'
ldap\t'LDAP: directory (port 389)'
xmpp\t'XMPP: chat (ports 5222, 5269)'
mysql\t'MySQL and MariaDB database connections (port 3306)'
postgres\t'PostgreSQL database connections (port 5432)'
nntp\t'NNTP: news (port 119)'"
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -l password-file -d 'File whose first line is the password of encrypted files (zip, key, .pfx) [default: prompt on a terminal]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand inspect" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand doctor" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand doctor" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand doctor" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand doctor" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand doctor" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand doctor" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand doctor" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand doctor" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand explain" -l check -d 'For a message: check this file or server, and say which cause applies (may be repeated)' -r
complete -c certctl -n "__fish_certctl_using_subcommand explain" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand explain" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand explain" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand explain" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand explain" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand explain" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand explain" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand explain" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -l to -d 'Restore the version with this id, or the one that was live at this date or time [default: the version before the live one]' -r
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -l allow -d 'Restore a certificate even if it has the finding with this code' -r
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -l lock-timeout -d 'How long to wait for another certctl to finish [default: 60s]' -r
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -l dry-run -d 'Show what would be done, and change nothing'
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand rollback" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l key -d 'Private key of the certificate [default: the matching key in the working directory]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l csr -d 'Certificate request (CSR) that was given to the CA [default: the matching request in the working directory]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l host -d 'Host name that the certificate must cover (may be repeated)' -r
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l trust -d 'Trusted roots: mozilla, system, or a file of CA certificates [default: mozilla]' -r
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l prefer -d 'Preferred chain when several are possible: to the root that most clients trust, or the shortest' -r -f -a "compatible\t'The chain through all cross-certificates that were given, to the anchor that most clients trust, including old ones'
shortest\t'The chain to the nearest anchor, with the fewest bytes in each handshake'"
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l aia -d 'Download missing intermediates from the URLs in the certificates; =any also allows private addresses and a proxy' -r -f -a "public\t'From public addresses alone'
any\t'From this machine and its own network too, and through the proxy of the environment'"
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l password-file -d 'File whose first line is the password of encrypted files (zip, key, .pfx) [default: prompt on a terminal]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l out -d 'Output file, for a single format; - writes to stdout [default: NAME.fullchain.pem or similar in the directory]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l format -d 'Format to write (may be repeated) [default: pem]' -r -f -a "pem\t'The certificate and its intermediates in one PEM file, as most servers read it'
cert\t'Only the certificate'
chain\t'Only the intermediates'
der\t'Only the certificate, as DER'
p7b\t'The certificate and its intermediates as PKCS#7'
pfx\t'Certificate, intermediates and key as PKCS#12, encrypted with a password'
haproxy\t'Certificate, intermediates and key in one PEM file'"
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l for -d 'Write the formats that this server needs, and show its configuration lines (may be repeated)' -r -f -a "nginx\t'nginx'
apache\t'Apache 2.4.8 or newer'
haproxy\t'HAProxy'
postfix\t'Postfix 3.4 or newer'
dovecot\t'Dovecot'
tomcat\t'Tomcat 8.5 or newer'
iis\t'Windows Server 2019 or newer'
windows2016\t'Windows Server 2016 or older'
aws-acm\t'AWS Certificate Manager'
caddy\t'Caddy 2'
lighttpd\t'lighttpd 1.4.53 or newer'
mosquitto\t'mosquitto 2.0 or newer'
postgres\t'PostgreSQL'
stunnel\t'stunnel 5'
vsftpd\t'vsftpd 3'
mariadb\t'MariaDB 10.4 or newer'
squid\t'squid 4 or newer'
openldap\t'OpenLDAP 2.4 or newer'
exim\t'Exim 4.95 or newer'"
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l pfx-password-file -d 'File whose first line is the password for the new .pfx [default: prompt on a terminal]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l extract-key -d 'Write the private key that came with the certificate to NAME.key (mode 0600); never overwrites another key'
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l legacy -d 'Encrypt the .pfx with triple DES and SHA-1, for old Windows and Java versions'
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l pfx-empty-password -d 'Protect the .pfx with an empty password'
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand bundle" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand site" -l upstream -d 'URL of the application that answers requests; WebSocket connections are passed on as well' -r
complete -c certctl -n "__fish_certctl_using_subcommand site" -l app -d 'Folder of a Python application (Flask, Django, FastAPI, ...), which gunicorn runs as a user of its own; the object that answers requests is recognized, or given as DIR:MODULE:OBJECT' -r
complete -c certctl -n "__fish_certctl_using_subcommand site" -l process -d 'What starts the application' -r -f -a "supervisor\t''
systemd\t''"
complete -c certctl -n "__fish_certctl_using_subcommand site" -l static -d 'Folder of the files to serve' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand site" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand site" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand site" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand site" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand site" -l venv -d 'Make a virtual environment for the application with gunicorn and its requirements.txt; without this, the environment in its folder is used'
complete -c certctl -n "__fish_certctl_using_subcommand site" -l adopt -d 'Add TLS to the block that serves the name in plain text now'
complete -c certctl -n "__fish_certctl_using_subcommand site" -l remove -d 'Remove what certctl wrote for this site; an issued certificate stays installed'
complete -c certctl -n "__fish_certctl_using_subcommand site" -l dry-run -d 'Show the files and the difference, and change nothing'
complete -c certctl -n "__fish_certctl_using_subcommand site" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand site" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand site" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand site" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand account" -l ca -d 'CA, as in `order --ca` [default: the only one with an account]' -r
complete -c certctl -n "__fish_certctl_using_subcommand account" -l key -d 'File with the key of the account to import (PEM)' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand account" -l out -d 'File to which the key of the account is exported (PEM, mode 0600)' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand account" -l trust -d 'Trusted roots of the CA\'s API: mozilla, system, or a file of CA certificates [default: mozilla]' -r
complete -c certctl -n "__fish_certctl_using_subcommand account" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand account" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand account" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand account" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand account" -l dry-run -d 'Show what would be done, and change nothing'
complete -c certctl -n "__fish_certctl_using_subcommand account" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand account" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand account" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand account" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand import" -l from -d 'Folder of that program [default: /etc/letsencrypt, ~/.acme.sh, or .lego in the working directory]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand import" -l ca -d 'CA, as in `order --ca` [default: the one from which the program orders]' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -l webroot -d 'Folder from which the web server of the names serves files: validation files are written to its .well-known/acme-challenge (may be repeated, with NAME= for one of several names)' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -l standalone -d 'Serve validation files with certctl\'s own server, at port 80 of all addresses or at ADDR' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -l dns -d 'DNS provider through which validation records are published instead of files: alidns, cloudflare, rfc2136, lexicon:NAME, exec:PROGRAM [default: `dns` in config.toml]' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -l resolver -d 'Resolver to query instead of the system\'s (may be repeated)' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -l trust -d 'Trusted roots of the CA and of its API: mozilla, system, or a file of CA certificates [default: mozilla]' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -l server -d 'Server that uses the certificate (may be repeated) [default: the servers whose configuration references it or has its names, else the running ones, else the only one that is installed; none under --root]' -r -f -a "apache\t'Apache 2.4'
haproxy\t'HAProxy'
nginx\t'nginx'
caddy\t'Caddy 2'
dovecot\t'Dovecot'
exim\t'Exim'
lighttpd\t'lighttpd'
mariadb\t'MariaDB'
mosquitto\t'mosquitto'
openldap\t'OpenLDAP'
postfix\t'Postfix'
postgres\t'PostgreSQL'
squid\t'squid'
stunnel\t'stunnel'
vsftpd\t'vsftpd'
none\t'No known server; another one is controlled with --test, --reload and --probe'"
complete -c certctl -n "__fish_certctl_using_subcommand import" -l server-config -d 'Main configuration file of the server; SERVER=FILE sets it for one of several servers' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand import" -l chain-path -d 'Path where servers read the chain [default: /etc/ssl/NAME.fullchain.pem]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand import" -l key-path -d 'Path where servers read the private key [default: /etc/ssl/private/NAME.key]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand import" -l deploy -d 'How servers get the files: link, or copy for containers, chroots and shared folders [default: the saved mode, else copy if a server would not see a link\'s target, else link]' -r -f -a "link\t'Links to the live release: chain and key change in one rename'
copy\t'Plain files, each replaced by a rename: for containers, chroots and shared folders'"
complete -c certctl -n "__fish_certctl_using_subcommand import" -l owner -d 'Owner of the private key: user, user:group or :group, as names or numbers' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -l key-mode -d 'Mode of the private key: 0600, 0640, 0400 or 0440' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -l also -d 'Further file for another reader of the certificate (may be repeated): pem, cert, chain, key or combined (key and certificates in one file); it is switched, verified and rolled back with the others; auto forgets the saved ones' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -l test -d 'Command that tests the server\'s configuration, run without a shell (may be repeated); auto restores the built-in command' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -l reload -d 'Command that reloads the server, run without a shell (may be repeated, in this order); auto restores the built-in command' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -l after -d 'Command that is run once the new certificate was verified live, without a shell; auto forgets the saved command' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -l hook-timeout -d 'How long the command of --after may take [default: 300s]' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -l probe -d 'Additional address to probe after the install (may be repeated); none skips all probes in this run; auto forgets the saved addresses' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -l starttls -d 'Protocol that is spoken before TLS starts at the addresses of --probe; with several ports, at those whose number does not imply one [default: implied by the port]' -r -f -a "smtp\t'SMTP: mail transfer and submission (ports 25, 587)'
lmtp\t'LMTP: mail delivery (port 24)'
imap\t'IMAP: mailbox access (port 143)'
pop3\t'POP3: mailbox download (port 110)'
sieve\t'ManageSieve: mail filters (port 4190)'
ftp\t'FTP: file transfer (port 21)'
ldap\t'LDAP: directory (port 389)'
xmpp\t'XMPP: chat (ports 5222, 5269)'
mysql\t'MySQL and MariaDB database connections (port 3306)'
postgres\t'PostgreSQL database connections (port 5432)'
nntp\t'NNTP: news (port 119)'"
complete -c certctl -n "__fish_certctl_using_subcommand import" -l lock-timeout -d 'How long to wait for another certctl to finish [default: 60s]' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -l allow -d 'Report the finding with this code as a warning instead of refusing (may be repeated)' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand import" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand import" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand import" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand import" -l accept-charges -d 'Accept what renewals cost, or may cost'
complete -c certctl -n "__fish_certctl_using_subcommand import" -l dry-run -d 'Show what would be done, and change nothing'
complete -c certctl -n "__fish_certctl_using_subcommand import" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand import" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand import" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand import" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand revoke" -l serial -d 'Revoke the certificate with this serial number (hex)' -r
complete -c certctl -n "__fish_certctl_using_subcommand revoke" -l reason -d 'Reason: unspecified, key-compromise, affiliation-changed, superseded or cessation-of-operation [default: superseded with --replaced, else unspecified]' -r
complete -c certctl -n "__fish_certctl_using_subcommand revoke" -l ca -d 'CA that issued it, as in `order --ca` [default: the one from which it was ordered]' -r
complete -c certctl -n "__fish_certctl_using_subcommand revoke" -l trust -d 'Trusted roots of the CA\'s API: mozilla, system, or a file of CA certificates [default: the saved one, else mozilla]' -r
complete -c certctl -n "__fish_certctl_using_subcommand revoke" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand revoke" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand revoke" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand revoke" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand revoke" -l replaced -d 'Revoke the certificates that were replaced by the installed one and have not expired'
complete -c certctl -n "__fish_certctl_using_subcommand revoke" -l dry-run -d 'Show what would be done, and revoke nothing'
complete -c certctl -n "__fish_certctl_using_subcommand revoke" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand revoke" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand revoke" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand revoke" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand forget" -l lock-timeout -d 'How long to wait for another certctl to finish [default: 60s]' -r
complete -c certctl -n "__fish_certctl_using_subcommand forget" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand forget" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand forget" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand forget" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand forget" -l force -d 'Also remove a certificate that was never verified live'
complete -c certctl -n "__fish_certctl_using_subcommand forget" -l dry-run -d 'Show what would be done, and change nothing'
complete -c certctl -n "__fish_certctl_using_subcommand forget" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand forget" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand forget" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand forget" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -l server -d 'Web server: the built-in one, or the nginx of this machine on a free loopback port' -r -f -a "embedded\t'Built into certctl'
nginx\t'The nginx of this machine'"
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -l api -d 'Order through the APIs of a CA (ACME) and of a DNS provider, and renew without a person'
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -l step -d 'Show each step when it has run, and wait for Enter before the next one'
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand rehearse" -s h -l help -d 'Print this help'
complete -c certctl -n "__fish_certctl_using_subcommand completions" -s C -l directory -d 'Working directory: where names are looked up and new files are written [default: .]' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand completions" -l root -d 'Tree to install into instead of /' -r -F
complete -c certctl -n "__fish_certctl_using_subcommand completions" -l at -d 'Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]' -r
complete -c certctl -n "__fish_certctl_using_subcommand completions" -l color -d 'When to use colour [default: auto]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c certctl -n "__fish_certctl_using_subcommand completions" -l json -d 'Print one JSON object on stdout, for errors too'
complete -c certctl -n "__fish_certctl_using_subcommand completions" -s q -l quiet -d 'Print only what needs action'
complete -c certctl -n "__fish_certctl_using_subcommand completions" -s v -l verbose -d 'Print each command run, each file written and each query sent'
complete -c certctl -n "__fish_certctl_using_subcommand completions" -s h -l help -d 'Print this help'

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
