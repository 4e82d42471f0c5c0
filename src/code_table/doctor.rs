//! Findings of `doctor`: why a site does not work.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "address-not-served",
        meaning: "DNS sends visitors to an address of the site at which nothing listens",
        why: "Other addresses of the site answer, so it works for some visitors only: often those \
            without IPv6, because there is an AAAA record and no `listen [::]:443`.",
        fix: "Add the `listen` line to the block, or remove the address from DNS.",
        source: "nginx: listen",
        example: "shop.example.  AAAA  2001:db8::10\n\
            server { listen 443 ssl; server_name shop.example; }",
        ..FINDING
    },
    CodeEntry {
        code: "certificate-not-loaded",
        meaning: "the file that the server names has a newer certificate than the server serves",
        why: "A server reads its certificate when it starts or reloads. Something renewed the file \
            without a reload.",
        fix: "Reload the server: `sudo systemctl reload nginx`.",
        source: "nginx: Controlling nginx",
        example: "$ certctl doctor shop.example\n\
            error   /etc/ssl/shop.example.fullchain.pem has a valid\n\
            \x20       certificate that expires 2027-02-10, but the server at\n\
            \x20       203.0.113.10:443 still serves an older one",
        ..FINDING
    },
    CodeEntry {
        code: "files-denied",
        meaning: "the workers of the server may not read the files of the site",
        why: "The server answers 403. Its workers run as a user of their own, which needs `x` on \
            every folder of the path and `r` on the file.",
        fix: "Give others the permission: `sudo chmod o+x /srv/shop`.",
        source: "path_resolution(7)",
        example: "$ ls -ld /srv/shop\n\
            drwx------ 2 root root 4096 Mar  3 09:00 /srv/shop",
        ..FINDING
    },
    CodeEntry {
        code: "firewall-drops",
        meaning: "a rule of this machine's packet filter drops connections to port 80 or 443",
        why: "Visitors wait until their browser gives up, although the server answers on the \
            machine itself.",
        fix: "Find the rule with `sudo nft -a list ruleset`, and remove it if it is not needed.",
        source: "nft(8)",
        example: "tcp dport 443 drop",
        ..FINDING
    },
    CodeEntry {
        code: "folder-of-site-missing",
        meaning: "the folder from which the server serves the site does not exist",
        why: "The server answers 404 or 403 to every visitor.",
        fix: "Create the folder and put the files there, or correct `root` in the server block.",
        source: "nginx: root",
        ..FINDING
    },
    CodeEntry {
        code: "http-closed",
        meaning: "port 80 of an address of the site is closed",
        why: "Who types the name without https:// gets an error in older browsers, and a CA cannot \
            read validation files.",
        fix: "Add a block for port 80 with `return 301 https://$host$request_uri;`.",
        source: "RFC 8555 8.3",
        ..FINDING
    },
    CodeEntry {
        code: "index-missing",
        meaning: "the folder of the site has no index.html",
        why: "The server answers 403 or 404 to visitors of the home page.",
        fix: "Put an index.html into the folder, or correct `root` or `index`.",
        source: "nginx: index",
        ..FINDING
    },
    CodeEntry {
        code: "no-redirect",
        meaning: "port 80 answers in plain text instead of redirecting to https",
        why: "Visitors who type the name stay on a page without encryption.",
        fix: "Add a block for port 80 with `return 301 https://$host$request_uri;`.",
        source: "RFC 9110 15.4.2",
        ..FINDING
    },
    CodeEntry {
        code: "plain-text-at-443",
        meaning: "port 443 speaks plain HTTP",
        why: "Browsers report an SSL protocol error. In nginx the `listen` line lacks `ssl`.",
        fix: "Add `ssl` to the `listen` line of the block, and the certificate.",
        source: "nginx: listen",
        example: "server {\n\
            \x20   listen 443;\n\
            \x20   server_name shop.example;\n\
            }",
        ..FINDING
    },
    CodeEntry {
        code: "port-closed",
        meaning: "nothing listens at a port of the site",
        why: "Browsers report that the connection was refused.",
        fix: "List what listens with `sudo ss -ltnp`, and start or configure the server.",
        source: "connect(2)",
        ..FINDING
    },
    CodeEntry {
        code: "port-silent",
        meaning: "a port of the site does not answer",
        why: "A packet filter drops connections, or the server hangs.",
        fix: "List the rules with `sudo nft list ruleset`.",
        source: "nft(8)",
        ..FINDING
    },
    CodeEntry {
        code: "port-taken",
        meaning: "another program listens at the address of the web server",
        why: "The web server cannot start or reload while another program has its port, and \
            visitors get the answers of that program.",
        fix: "Find the program with `sudo ss -ltnp`, and stop it or give it another port.",
        source: "bind(2)",
        example: "nginx: [emerg] bind() to 0.0.0.0:443 failed\n\
            (98: Address already in use)",
        ..FINDING
    },
    CodeEntry {
        code: "redirect-loop",
        meaning: "the site redirects to itself without end",
        why: "Browsers report ERR_TOO_MANY_REDIRECTS. Often the application redirects to https \
            although the visitor uses it already, because the proxy does not pass X-Forwarded- \
            Proto on.",
        fix: "Pass the header on, or remove one of the redirects.",
        source: "RFC 9110 15.4",
        ..FINDING
    },
    CodeEntry {
        code: "site-elsewhere",
        meaning: "DNS sends visitors of the site to another machine",
        why: "What is repaired on this machine changes nothing for them.",
        fix: "Change the A and AAAA records, or run the command on the other machine.",
        source: "RFC 1035 3.4.1",
        ..FINDING
    },
    CodeEntry {
        code: "site-not-loaded",
        meaning: "the configuration on disk serves the site, and the running server has not loaded it",
        why: "A server reads its configuration when it starts or reloads.",
        fix: "Reload it: `sudo systemctl reload nginx`.",
        source: "nginx: Controlling nginx",
        ..FINDING
    },
    CodeEntry {
        code: "site-without-address",
        meaning: "DNS has no address for the name of the site",
        why: "Browsers report that the server was not found.",
        fix: "Add an A record, and an AAAA record if the machine has IPv6, at the DNS provider.",
        source: "RFC 1035 3.4.1",
        ..FINDING
    },
    CodeEntry {
        code: "site-without-tls",
        meaning: "no server block of the site listens for TLS",
        why: "https:// does not work for the name.",
        fix: "Let certctl add TLS to its block: `certctl site example.com --adopt`.",
        source: "nginx: Configuring HTTPS servers",
        ..FINDING
    },
    CodeEntry {
        code: "socket-dead",
        meaning: "the Unix socket of the application exists, and no process listens on it",
        why: "The server answers 502. The process has ended and left its socket.",
        fix: "Start the application again.",
        source: "unix(7)",
        example: "connect() to unix:/run/shop.sock failed\n\
            (111: Connection refused)",
        ..FINDING
    },
    CodeEntry {
        code: "socket-denied",
        meaning: "the workers of the server may not connect to the socket of the application",
        why: "The server answers 502. A socket needs `w` for the user of the workers, and every \
            folder on the path `x`.",
        fix: "Give the permission: `sudo chmod o+w /run/shop.sock`, and set the umask of the \
            application.",
        source: "unix(7)",
        example: "connect() to unix:/run/shop.sock failed\n\
            (13: Permission denied)",
        ..FINDING
    },
    CodeEntry {
        code: "socket-missing",
        meaning: "the Unix socket of the application does not exist",
        why: "The server answers 502. The application does not run, or listens elsewhere.",
        fix: "Start the application, or correct the path in `proxy_pass`.",
        source: "unix(7)",
        example: "connect() to unix:/run/shop.sock failed\n\
            (2: No such file or directory)",
        ..FINDING
    },
    CodeEntry {
        code: "valid-certificate-unused",
        meaning: "the server serves a certificate that clients refuse, and this machine has a valid \
            one",
        why: "Nothing has to be ordered: the valid certificate only has to be installed.",
        fix: "Run the printed `install` line.",
        source: "certctl",
        ..FINDING
    },
    CodeEntry {
        code: "well-known-swallowed",
        meaning: "the server does not serve validation files below /.well-known/",
        why: "A CA that validates by HTTP gets the answer of the application instead of its file. \
            certctl asks for a file that does not exist, which should be answered with 404.",
        fix: "Add `location ^~ /.well-known/` with the folder of these files to the block for port \
            80.",
        source: "RFC 8555 8.3",
        ..FINDING
    },
    CodeEntry {
        code: "wrong-block-answers",
        meaning: "the block of another site answers for the name",
        why: "No block with TLS has the name, so the server uses its default, with the certificate \
            of another site.",
        fix: "Add the name to a block with TLS, or let certctl write one: \
            `certctl site example.com --upstream http://127.0.0.1:8000`.",
        source: "nginx: How nginx processes a request",
        ..FINDING
    },
];
