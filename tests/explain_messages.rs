//! `certctl explain TEXT` with messages that real programs print: each is provoked, and leads to the
//! problem that was made. `--check` says which cause applies.
//! Needs: apache2 certtool chromium curl haproxy ip keytool nginx openssl python3 setsid unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeMap;

use support::Sandbox;
use support::external::{external_program, path_of, succeed};
use support::json::Json;

/// Makes a CA, certificates and keys, and the messages of programs that read broken files. Each
/// message is in `messages/PROBLEM--PROGRAM-CASE`.
const PROVOKE: &str = r#"
set -u
mkdir messages conf
exec 2>script.log
new() { # NAME ISSUER SUBJECT DAYS EXTENSIONS...
  name=$1 issuer=$2 subject=$3 days=$4
  shift 4
  printf '%s\n' "$@" >ext
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -out $name.csr -subj "/CN=$subject"
  if [ $issuer = self ]; then signer="-signkey $name.key"; else signer="-CA $issuer.crt -CAkey $issuer.key -CAcreateserial"; fi
  openssl x509 -req -in $name.csr $signer -days $days -extfile ext -out $name.crt
}
new root self 'Test Root' 30 'basicConstraints=critical,CA:TRUE' 'subjectKeyIdentifier=hash'
new ca root 'Test CA' 30 'basicConstraints=critical,CA:TRUE' 'subjectKeyIdentifier=hash' 'authorityKeyIdentifier=keyid'
new leaf ca example.com 20 'subjectAltName=DNS:example.com' 'authorityKeyIdentifier=keyid'
new selfsigned self example.com 20 'subjectAltName=DNS:example.com'
printf 'subjectAltName=DNS:example.com\n' >ext
openssl x509 -req -in leaf.csr -CA ca.crt -CAkey ca.key -CAcreateserial -extfile ext -days -1 -out expired.crt
openssl req -new -newkey rsa:1024 -nodes -keyout weak.key -out weak.csr -subj /CN=example.com
openssl x509 -req -in weak.csr -CA ca.crt -CAkey ca.key -CAcreateserial -extfile ext -days 20 -out weak.crt
openssl genpkey -algorithm RSA -out rsa.key
openssl pkey -in leaf.key -aes256 -passout pass:secret -out locked.key
cat leaf.crt ca.crt >chain.pem
cat ca.crt leaf.crt >swapped.pem
printf '%s' "$(cat leaf.crt)" >glued.pem
cat ca.crt >>glued.pem
sed 5d leaf.crt >lost-line.pem
: >empty.pem
openssl x509 -in leaf.crt -outform DER -out leaf.der
openssl pkcs12 -export -in leaf.crt -inkey leaf.key -passout pass:secret -out leaf.pfx

message() { # PROBLEM CASE COMMAND...
  to=messages/$1--$2
  shift 2
  timeout 20 setsid "$@" >$to 2>&1 </dev/null
}
nginx_conf() { # CHAIN KEY [LINE]
  printf 'error_log stderr; pid %s/nginx.pid; events {} http { %s server { listen 127.0.0.1:8443 ssl; ssl_certificate %s/%s; ssl_certificate_key %s/%s; } }' \
    "$PWD" "${3:-}" "$PWD" $1 "$PWD" $2 >conf/nginx.conf
}
apache_conf() { # CHAIN KEY
  for module in mpm_event authz_core ssl; do echo "LoadModule ${module}_module /usr/lib/apache2/modules/mod_$module.so"; done >conf/apache.conf
  printf 'ServerRoot "%s"\nServerName x\nPidFile a.pid\nErrorLog "|/bin/cat"\nListen 127.0.0.1:8443\nSSLEngine on\nSSLCertificateFile %s\nSSLCertificateKeyFile %s\n' \
    "$PWD" $1 $2 >>conf/apache.conf
}
haproxy_conf() { # PEM
  printf 'defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\nfrontend f\n bind 127.0.0.1:8443 ssl crt %s\n' "$PWD/$1" >conf/haproxy.cfg
}
# What each server says about a pair of files.
servers() { # CASE CHAIN KEY PROBLEM-NGINX PROBLEM-APACHE PROBLEM-HAPROXY PROBLEM-PYTHON
  nginx_conf $2 $3
  [ $4 = - ] || message $4 nginx-$1 nginx -t -c $PWD/conf/nginx.conf
  apache_conf $2 $3
  [ $5 = - ] || message $5 apache-$1 apache2 -X -f $PWD/conf/apache.conf
  cat $2 $3 >combined-$1.pem
  haproxy_conf combined-$1.pem
  [ $6 = - ] || message $6 haproxy-$1 haproxy -c -f conf/haproxy.cfg
  [ $7 = - ] || message $7 python-$1 python3 -c "import ssl,sys; ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain('$2','$3')"
}
servers swapped swapped.pem leaf.key key-does-not-match key-does-not-match key-does-not-match key-does-not-match
servers other-type leaf.crt rsa.key - key-does-not-match key-does-not-match key-has-another-type
servers glued glued.pem leaf.key pem-block-broken-at-its-end - - -
servers request leaf.csr leaf.key not-a-pem-certificate not-a-pem-certificate not-a-pem-certificate -
servers der leaf.der leaf.key not-a-pem-certificate - - -
servers empty empty.pem leaf.key not-a-pem-certificate file-missing - -
servers no-key leaf.crt leaf.crt not-a-pem-key not-a-pem-key - -
servers lost-line lost-line.pem leaf.key damaged-contents - - -
servers weak weak.crt weak.key weak-key-or-signature weak-key-or-signature - weak-key-or-signature
servers missing missing.pem leaf.key file-missing file-missing - file-missing
servers locked leaf.crt locked.key key-is-encrypted key-is-encrypted - -
haproxy_conf missing.pem
message file-missing haproxy-missing haproxy -c -f conf/haproxy.cfg
printf 'events {} http { server { listen 127.0.0.1:8443 ssl; } }' >conf/nginx.conf
message tls-block-without-certificate nginx-none nginx -t -c $PWD/conf/nginx.conf
printf 'events {} http { server { listen 127.0.0.1:8080 } }' >conf/nginx.conf
message configuration-not-parsed nginx-semicolon nginx -t -c $PWD/conf/nginx.conf
printf 'events {} http { server { listen 127.0.0.1:8080; server_name a.example; } server { listen 127.0.0.1:8080; server_name a.example; } }' >conf/nginx.conf
message name-in-two-blocks nginx-twice nginx -t -c $PWD/conf/nginx.conf
printf 'events {} http { server { listen 127.0.0.1:8080; location / { proxy_pass http://missing.invalid; } } }' >conf/nginx.conf
message upstream-name-not-found nginx-upstream nginx -t -c $PWD/conf/nginx.conf
message verify-reads-one-certificate openssl-verify openssl verify -CAfile root.crt chain.pem
message wrong-password openssl-pfx openssl pkcs12 -in leaf.pfx -passin pass:other -nokeys
message pem-not-read-by-python python-key python3 -c "import ssl; ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain('leaf.crt','locked.key','other')"
message file-missing openssl-x509 openssl x509 -in missing.pem -noout
message not-a-pem-certificate openssl-csr openssl x509 -in leaf.csr -noout
message not-a-pem-key openssl-pkey openssl pkey -in leaf.crt -noout
message modulus-recipe-fails openssl-modulus openssl rsa -in leaf.key -modulus -noout
message not-a-pem-certificate keytool-csr keytool -importcert -noprompt -file leaf.csr -keystore k.p12 -storepass secret
message wrong-password keytool-password keytool -list -keystore leaf.pfx -storepass other
message file-missing keytool-missing keytool -list -keystore missing.p12 -storepass secret

# What clients say about servers.
serve() { # PORT CERTIFICATE KEY [OPTION...]
  port=$1 certificate=$2 key=$3
  shift 3
  openssl s_server -accept 127.0.0.1:$port -cert $certificate -key $key -www "$@" >/dev/null 2>&1 &
  until openssl s_client -connect 127.0.0.1:$port </dev/null >/dev/null 2>&1; do sleep 0.1; done
}
clients() { # PROBLEM CASE HOST PORT
  url=https://$3:$4/
  message $1 curl-$2 curl -sS --connect-to ::127.0.0.1: --cacert root.crt $url
  message $1 python-$2 python3 -c "import ssl,socket; c=ssl.create_default_context(cafile='root.crt'); c.wrap_socket(socket.create_connection(('127.0.0.1',$4)),server_hostname='$3')"
  message $1 openssl-$2 openssl s_client -connect 127.0.0.1:$4 -servername $3 -verify_hostname $3 -verify_return_error -CAfile root.crt -brief
}
serve 8444 leaf.crt leaf.key
serve 8445 selfsigned.crt selfsigned.key
serve 8446 expired.crt leaf.key -cert_chain ca.crt
serve 8447 leaf.crt leaf.key -cert_chain ca.crt
serve 8449 leaf.crt leaf.key -cert_chain ca.crt -tls1_2
python3 -m http.server --bind 127.0.0.1 8448 >/dev/null 2>&1 &
until curl -s http://127.0.0.1:8448/ >/dev/null; do sleep 0.1; done
clients no-path-to-a-root leaf example.com 8444
clients self-signed selfsigned example.com 8445
clients certificate-expired expired example.com 8446
clients name-not-in-certificate name other.example 8447
clients answer-is-not-tls plain example.com 8448
clients nothing-listens closed example.com 8499
message no-common-protocol curl-versions curl -sS --tlsv1.3 --connect-to ::127.0.0.1: --cacert root.crt https://example.com:8449/
message name-not-resolved curl-name curl -sS https://missing.invalid/
cat ca.crt root.crt >whole.pem
serve 8450 leaf.crt leaf.key -cert_chain whole.pem
message root-of-the-chain-not-trusted openssl-root openssl s_client -connect 127.0.0.1:8450 -verify_return_error -brief
message no-path-to-a-root chromium-leaf chromium --headless --no-sandbox --user-data-dir=profile \
  --host-resolver-rules='MAP example.com 127.0.0.1' --dump-dom https://example.com:8444/
message answer-is-not-tls gnutls-plain gnutls-cli --x509cafile root.crt -p 8448 127.0.0.1
kill $(jobs -p)
exit 0
"#;

/// Runs the script in a network namespace of its own and returns the messages by file name.
fn provoke(sandbox: &Sandbox) -> BTreeMap<String, String> {
    sandbox.write("provoke", PROVOKE);
    let script = "ip link set lo up && exec sh provoke";
    let mut command = external_program("unshare");
    command
        .args(["-n", "sh", "-c", script])
        .current_dir(sandbox.path());
    succeed(&mut command);
    let mut messages = BTreeMap::new();
    for entry in std::fs::read_dir(sandbox.join("messages")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let bytes = std::fs::read(sandbox.join("messages").join(&name)).unwrap();
        messages.insert(name, String::from_utf8_lossy(&bytes).into_owned());
    }
    messages
}

fn explain(sandbox: &Sandbox, text: &str) -> Json {
    let run = sandbox.run_with_input(&["explain", "-", "--json"], text.as_bytes());
    run.json()
}

#[test]
fn messages_of_real_programs_lead_to_what_was_broken() {
    for program in [
        "apache2", "certtool", "chromium", "curl", "haproxy", "keytool", "nginx",
    ] {
        path_of(program);
    }
    let sandbox = Sandbox::new();
    let messages = provoke(&sandbox);
    assert!(messages.len() > 50, "{:?}", messages.keys());
    let mut wrong = Vec::new();
    for (name, text) in &messages {
        let (problem, _) = name.split_once("--").unwrap();
        let document = explain(&sandbox, text);
        let found = &document["messages"][0]["problem"];
        if found != problem {
            wrong.push(format!("{name}: {found}\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    check_says_which_cause_applies(&sandbox);
    a_file_excludes_no_cause_at_a_server(&sandbox);
    a_path_with_a_blank_is_quoted(&sandbox);
}

/// A complete file says nothing about what a server sends.
fn a_file_excludes_no_cause_at_a_server(sandbox: &Sandbox) {
    let text = sandbox.read("messages/no-path-to-a-root--curl-leaf");
    let args = ["explain", "-", "--check", "root.crt", "--json"];
    let document = sandbox.run_with_input(&args, text.as_bytes()).json();
    let causes = document["messages"][0]["causes"].as_array().unwrap();
    assert!(!causes.is_empty(), "{document}");
    for cause in causes {
        let check = cause["check"].as_str().unwrap();
        let is_excluded = cause["applies"] == false;
        assert!(!(is_excluded && check.contains(":443")), "{document}");
    }
}

/// A path with a blank stays one word of the command.
fn a_path_with_a_blank_is_quoted(sandbox: &Sandbox) {
    std::fs::copy(sandbox.join("chain.pem"), sandbox.join("my chain.pem")).unwrap();
    let text = "error 20 at 0 depth lookup: unable to get local issuer certificate";
    let args = ["explain", text, "--check", "my chain.pem", "--json"];
    let document = sandbox.run(&args).json();
    let argv = &document["next"][0]["argv"];
    assert_eq!(argv[1], "verify", "{document}");
    assert_eq!(argv[2], "my chain.pem", "{document}");
    assert_eq!(argv.len(), 3, "{document}");
}

/// Nothing would be checked for a code or a topic.
#[test]
fn check_is_refused_without_a_message() {
    let sandbox = Sandbox::new();
    for word in ["wrong-key", "alidns", "credentials"] {
        let run = sandbox.run(&["explain", word, "--check", "example.com"]);
        let run = run.expect(2);
        assert!(run.stderr.contains("`--check`"), "{run}");
    }
}

/// `--check` of files that the script made.
fn check_says_which_cause_applies(sandbox: &Sandbox) {
    for (message, file, cause, code) in [
        (
            "no-path-to-a-root--curl-leaf",
            "leaf.crt",
            "The certificate is from a company's own CA",
            "unknown-issuer",
        ),
        (
            "key-does-not-match--nginx-swapped",
            "swapped.pem",
            "The CA's bundle comes before the server's certificate",
            "leaf-not-first",
        ),
        (
            "not-a-pem-certificate--nginx-der",
            "leaf.der",
            "The file is something else",
            "der",
        ),
    ] {
        let text = sandbox.read(&format!("messages/{message}"));
        let args = ["explain", "-", "--check", file];
        let run = sandbox.run_with_input(&args, text.as_bytes()).expect(0);
        let words: Vec<&str> = run.stdout.split_whitespace().collect();
        let expected = format!("this is the cause: {cause}");
        assert!(words.join(" ").contains(&expected), "{run}");
        let args = [&args[..], &["--json"]].concat();
        let document = sandbox.run_with_input(&args, text.as_bytes()).json();
        assert_eq!(document["checked"][0]["item"], file);
        let first = &document["messages"][0]["causes"][0];
        assert_eq!(first["applies"], true, "{document}");
        let mut codes = first["codes"].as_array().unwrap().iter();
        assert!(codes.any(|known| *known == code), "{document}");
    }
}
