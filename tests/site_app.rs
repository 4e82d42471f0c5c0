//! `certctl site --app` with real applications, gunicorn, supervisord, systemd and nginx: the
//! application is recognized, runs as a user of its own and answers over https, or nothing is left of
//! it. Needs root.
//! Needs: certutil chromium curl ip mount nginx nsenter openssl python3 ps setpriv supervisord systemd
//! Needs: timeout unshare zip
//! Needs: /usr/lib/python3.11/venv/__main__.py
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::external::{external_program, succeed, test_wheels};
use support::install_sandbox::{InstallSandbox, codes};
use support::json::Json;
use support::machine::Machine;
use support::namespace::is_root;
use support::systemd::SystemdMachine;

/// Gives the machine folders that no other one sees, and starts nginx.
const HEAD: &str = r#"
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir /mnt/upper /mnt/work
mount -t overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work overlay /etc
cp /etc/ssl/openssl.cnf /mnt/
export OPENSSL_CONF=/mnt/openssl.cnf
mount -t tmpfs -o mode=755 tmpfs /etc/ssl
mkdir -m 710 /etc/ssl/private
mount -t tmpfs -o mode=755 tmpfs /srv
mount -t tmpfs -o mode=755 tmpfs /var/log
mount -t tmpfs -o mode=755 tmpfs /var/lib
mount -t tmpfs -o mode=755 tmpfs /var/www
mkdir -p /var/log/nginx /var/log/supervisor /var/lib/nginx /var/www/html
"#;

/// What the scripts of both kinds of machines use.
const FUNCTIONS: &str = r#"
state() {
  (cd /etc; find nginx ssl supervisor/conf.d systemd/system passwd group shadow gshadow -type f -exec sha256sum {} +
   find nginx ssl systemd/system -type l -printf '%p %l\n'; ls /var/lib) | grep -v -e certctl/.lock -e '^certctl$' | sort >"$1"
}
page() { curl -sk --max-time 20 --resolve shop.example:443:127.0.0.1 "$@"; }
environment() {
  python=/usr/bin/python3; folder=$1; shift
  $python -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check --no-index --find-links "$WHEELS" "$@"
}
"#;

const FLASK: &str = r#"
from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def home():
    return f"Hello World {request.scheme} {request.host}"


@app.post("/upload")
def upload():
    return str(len(request.get_data()))
"#;

/// Runs the script; `None` if another user than root runs the tests.
fn machine<'a>(setup: &'a InstallSandbox, script: &str) -> Option<Machine<'a>> {
    let wheels = test_wheels().display().to_string();
    let script = format!("{HEAD}\nWHEELS='{wheels}'\n{FUNCTIONS}\nnginx\n{script}");
    let machine = Machine::run(&setup.sandbox, &script)?;
    assert_eq!(machine.script.code, 0, "{}", machine.script);
    Some(machine)
}

#[test]
fn supervisor_runs_an_application_that_is_removed_without_a_trace() {
    let setup = InstallSandbox::new();
    setup.sandbox.write("shop.py", FLASK);
    let Some(machine) = machine(
        &setup,
        r#"
mkdir /srv/shop
cp shop.py /srv/shop/
run no_manager site shop.example --app /srv/shop --json
supervisord
state before
run no_environment site shop.example --app /srv/shop --json
/usr/bin/python3 -m venv --without-pip /srv/shop/venv
run no_gunicorn site shop.example --app /srv/shop --json
rm -r /srv/shop/venv
environment /srv/shop/venv flask gunicorn
chmod 700 /srv/shop
run unreadable site shop.example --app /srv/shop --json
chmod 755 /srv/shop
useradd app-shop-example
run taken site shop.example --app /srv/shop --json
userdel app-shop-example
run planned site shop.example --app /srv/shop --dry-run --json
run planned_text site shop.example --app /srv/shop --dry-run
state now; cmp before now
run created site shop.example --app /srv/shop --json
page https://shop.example/ >body
head -c 20000000 /dev/zero | page --data-binary @- https://shop.example/upload >length
stat -c '%U %G %a' /var/lib/certctl-apps/app-shop-example/run >socket_folder
ps -o user:20= -p "$(supervisorctl pid app-shop-example)" >user
state created_state
run again site shop.example --app /srv/shop --json
run again_text site shop.example --app /srv/shop
state now; cmp created_state now
supervisorctl stop app-shop-example
run stopped site shop.example --app /srv/shop --json
page https://shop.example/ >body_again
echo 'import missing_module' >/srv/shop/broken.py
echo 'def application(environ, start_response): pass' >>/srv/shop/broken.py
run broken site shop.example --app /srv/shop:broken:application --json
state now; cmp created_state now
page https://shop.example/ >body_after_broken
mkdir /srv/files; echo files >/srv/files/index.html
run files site shop.example --static /srv/files --json
page https://shop.example/ >body_of_files
run removed site shop.example --remove --json
state now; cmp before now
test ! -e /var/log/supervisor/app-shop-example.log
rm /srv/shop/broken.py
run back site shop.example --app /srv/shop --json
run gone site shop.example --remove
state now; cmp before now
"#,
    ) else {
        return;
    };
    let json = |step: &str, code: i32| machine.step(step).expect(code).json();
    for (step, finding) in [
        ("no_manager", "service-manager-missing"),
        ("no_environment", "gunicorn-missing"),
        ("no_gunicorn", "gunicorn-missing"),
        ("unreadable", "application-unreadable"),
        ("taken", "application-user-taken"),
    ] {
        let document = json(step, 1);
        assert_eq!(document["verdict"], "refused", "{step}: {document}");
        assert_eq!(codes(&document), [finding], "{step}: {document}");
    }
    let planned = json("planned", 0);
    assert_eq!(planned["would_change"], true, "{planned}");
    assert!(
        planned["files"]
            .to_string()
            .contains("[program:app-shop-example]")
    );
    let created = json("created", 0);
    assert_eq!(created["verdict"], "live", "{created}");
    assert_eq!(
        created["application"]["object"],
        "Flask application shop:app"
    );
    assert_eq!(created["application"]["process"], "supervisor");
    let read = |file: &str| setup.sandbox.read(file);
    for file in ["body", "body_again", "body_after_broken"] {
        assert_eq!(read(file), "Hello World https shop.example", "{file}");
    }
    assert_eq!(read("length"), "20000000");
    assert_eq!(read("socket_folder"), "app-shop-example www-data 710\n");
    assert_eq!(read("user"), "app-shop-example\n");
    assert_eq!(json("again", 0)["verdict"], "unchanged");
    let again = machine.step("again_text").expect(0).stdout;
    assert!(again.contains("is up to date"), "{again}");
    assert_eq!(json("stopped", 0)["verdict"], "live");
    let broken = json("broken", 5);
    assert_eq!(broken["verdict"], "rolled-back", "{broken}");
    assert_eq!(codes(&broken), ["application-failed"], "{broken}");
    let lines = broken["findings"][0]["lines"].to_string();
    assert!(
        lines.contains("No module named 'missing_module'"),
        "{broken}"
    );
    assert_eq!(json("files", 0)["verdict"], "live");
    assert_eq!(read("body_of_files"), "files\n");
    assert_eq!(json("removed", 0)["verdict"], "removed");
    assert_eq!(json("back", 0)["verdict"], "live");
    let gone = machine.step("gone").expect(0).stdout;
    assert!(
        gone.contains("the user app-shop-example with its folders"),
        "{gone}"
    );
}

/// The steps of somebody who buys a certificate for a Flask application, from the key to the page.
const FLOW: &str = r#"
printf '127.0.0.1 shop.example\n' >>/etc/hosts
mkdir -p /srv/shop /srv/echo ca
cp shop.py /srv/shop/
environment /srv/shop/venv flask gunicorn
environment /srv/echo/venv uvicorn websockets
supervisord
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca/root.key -out root.pem -days 30 -subj '/CN=Test Root' -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign'
certctl csr shop.example >/dev/null
printf 'subjectAltName=DNS:shop.example\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\n' >ca/leaf.ext
openssl x509 -req -in shop.example.csr -CA root.pem -CAkey ca/root.key -days 20 -extfile ca/leaf.ext -out ca/shop_example.crt
cp root.pem ca/shop_example.ca-bundle
(cd ca; zip -q ../shop_example.zip shop_example.crt shop_example.ca-bundle)
run installed install shop_example.zip --trust root.pem --json
run created site shop.example --app /srv/shop --json
curl -s -o /dev/null -w '%{http_code} %{redirect_url}\n' http://shop.example/x >redirect
head -c 20000000 /dev/zero | curl -s --cacert root.pem --data-binary @- https://shop.example/upload >length
mkdir -p home/.pki/nssdb
certutil -d sql:home/.pki/nssdb -N --empty-password
certutil -d sql:home/.pki/nssdb -A -t C,, -n test -i root.pem
# Without the CA in its store, the browser shows a warning instead of the page.
browse() { HOME=$PWD/$1 timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
  --user-data-dir="$1/profile" --dump-dom https://shop.example/ >"$1.dom" 2>"$1.log"; }
mkdir stranger
browse home; browse stranger
run proven install shop.example --json
cat >/srv/echo/echo.py <<'END'
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 404})
        await send({"type": "http.response.body"})
        return
    while True:
        event = await receive()
        if event["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        elif event["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": "echo " + event["text"]})
        else:
            return
END
(cd /srv/echo; exec venv/bin/python -m uvicorn echo:app --port 9000 >/dev/null 2>&1) &
for count in $(seq 200); do curl -s -o /dev/null http://127.0.0.1:9000/ && break; sleep 0.1; done
run echoed site shop.example --upstream http://127.0.0.1:9000 --json
cat >client.py <<'END'
import ssl
from websockets.sync.client import connect

with connect("wss://shop.example/", ssl=ssl.create_default_context(cafile="root.pem")) as socket:
    socket.send("hello")
    print(socket.recv())
END
/srv/echo/venv/bin/python client.py >echo
"#;

#[test]
fn a_bought_certificate_and_a_flask_application_become_a_page_in_the_browser() {
    let setup = InstallSandbox::new();
    setup.sandbox.write("shop.py", FLASK);
    let Some(machine) = machine(&setup, FLOW) else {
        return;
    };
    let json = |step: &str, code: i32| machine.step(step).expect(code).json();
    let installed = json("installed", 1);
    assert_eq!(installed["verdict"], "not-served", "{installed}");
    assert!(
        installed["next"]
            .to_string()
            .contains("certctl site shop.example --app")
    );
    let created = json("created", 0);
    assert_eq!(created["verdict"], "live", "{created}");
    assert_eq!(codes(&created).len(), 0, "{created}");
    let read = |file: &str| setup.sandbox.read(file);
    assert_eq!(read("redirect"), "301 https://shop.example/x\n");
    assert_eq!(read("length"), "20000000");
    let page = "Hello World https shop.example";
    assert!(read("home.dom").contains(page), "{}", read("home.log"));
    assert!(
        !read("stranger.dom").contains(page),
        "{}",
        read("stranger.dom")
    );
    assert_eq!(json("proven", 0)["verdict"], "live");
    let echoed = json("echoed", 0);
    assert_eq!(echoed["verdict"], "live", "{echoed}");
    assert_eq!(read("echo"), "echo hello\n");
}

const FASTAPI: &str = r#"
from fastapi import FastAPI, Request

app = FastAPI()


@app.get("/")
def home(request: Request):
    return f"{request.url} {request.client.host}"
"#;

#[test]
fn systemd_runs_django_and_fastapi_as_a_user_of_their_own() {
    if !is_root() {
        return;
    }
    let setup = InstallSandbox::new();
    setup.sandbox.write("main.py", FASTAPI);
    let machine = SystemdMachine::boot_isolated(&setup.sandbox);
    // The machine may not see the folder of the packages; it sees the sandbox.
    let wheels = setup.sandbox.join("wheels").display().to_string();
    succeed(
        external_program("cp")
            .arg("-rL")
            .arg(test_wheels())
            .arg(&wheels),
    );
    let run = |script: &str| {
        let script = format!("WHEELS='{wheels}'\n{FUNCTIONS}\n{script}");
        let run = machine.run(&setup.sandbox, &script);
        if run.code == 0 {
            return run.stdout;
        }
        let log = machine.run(&setup.sandbox, "journalctl --no-pager -n 60");
        panic!("{run}\n{log}");
    };
    let site = |arguments: &str, code: i32| -> Json {
        let script = format!(
            "code=0; certctl site shop.example {arguments} --json >out || code=$?; echo $code"
        );
        let found = run(&script);
        let document = setup.sandbox.read("out");
        assert_eq!(found, format!("{code}\n"), "{document}");
        Json::parse(&document)
    };
    run("systemctl start nginx
state before
mkdir /srv/django
environment /srv/django/venv django gunicorn
/srv/django/venv/bin/django-admin startproject shop /srv/django");
    let hosts = site("--app /srv/django", 5);
    assert_eq!(codes(&hosts), ["application-failed"], "{hosts}");
    let message = hosts["findings"][0]["message"].to_string();
    assert!(message.contains("answers 400 for shop.example"), "{hosts}");
    assert!(
        hosts["findings"][0]["next"]
            .to_string()
            .contains("ALLOWED_HOSTS = "),
        "{hosts}"
    );
    run("state now; cmp before now
sed -i \"s/^ALLOWED_HOSTS = .*/ALLOWED_HOSTS = ['shop.example']/\" /srv/django/shop/settings.py");
    let django = site("--app /srv/django", 0);
    assert_eq!(django["verdict"], "live", "{django}");
    assert_eq!(
        django["application"]["object"],
        "Django application shop.wsgi:application"
    );
    let page = run("page https://shop.example/");
    assert!(page.contains("The install worked successfully"), "{page}");
    let state = run(
        "systemctl is-active app-shop-example; systemctl is-enabled app-shop-example
ps -o user:20= -p $(systemctl show -p MainPID --value app-shop-example)",
    );
    assert_eq!(state, "active\nenabled\napp-shop-example\n");
    assert_eq!(site("--app /srv/django", 0)["verdict"], "unchanged");
    run(
        "echo 'x = (' >>/srv/django/shop/settings.py; systemctl stop app-shop-example; state stopped",
    );
    let broken = site("--app /srv/django", 5);
    assert_eq!(codes(&broken), ["application-failed"], "{broken}");
    let lines = broken["findings"][0]["lines"].to_string();
    assert!(lines.contains("SyntaxError"), "{broken}");
    run("state now; cmp stopped now; sed -i '$d' /srv/django/shop/settings.py");
    assert_eq!(site("--remove", 0)["verdict"], "removed");
    run("state now; cmp before now; test ! -e /var/lib/certctl-apps
mkdir /srv/api; cp main.py /srv/api/; echo fastapi >/srv/api/requirements.txt
cp -r \"$WHEELS\" /srv/wheels; chmod -R a+rX /srv/wheels
printf '[global]\\nno-index = true\\nfind-links = /srv/wheels\\n' >/etc/pip.conf");
    let api = site("--app /srv/api --venv", 0);
    assert_eq!(api["verdict"], "live", "{api}");
    let page = run("page https://shop.example/");
    assert_eq!(page, "\"https://shop.example/ 127.0.0.1\"");
    let owner = run("stat -c %U /var/lib/certctl-apps/app-shop-example/venv/bin/gunicorn");
    assert_eq!(owner, "app-shop-example\n");
    assert_eq!(site("--remove", 0)["verdict"], "removed");
    run("state now; cmp before now");
    run("echo missing-package >>/srv/api/requirements.txt");
    let missing = site("--app /srv/api --venv", 5);
    assert_eq!(codes(&missing), ["application-failed"], "{missing}");
    let lines = missing["findings"][0]["lines"].to_string();
    assert!(lines.contains("missing-package"), "{missing}");
    run("state now; cmp before now");
}
