"""Compares `status HOST...` for 1,000 TLS servers on loopback with tokio and rustls, which verifies the same signature, and with curl.

The servers are one nginx with fifty server blocks. Each has its own certificate under one intermediate, and twenty addresses."""

import os
import shutil
import statistics
import subprocess
import tempfile
import time

from tree import run

BLOCKS, EACH, PORT, AT_ONCE = 50, 20, 9447, 64
COUNTED = 200
GOAL = 1.15
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


class Nginx:
    """An nginx that listens on 127.1.BLOCK.1 to 127.1.BLOCK.20; `hosts` are its addresses."""

    def __init__(self, base):
        self.folder = tempfile.mkdtemp(dir=base)
        issued = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"]
        self.certificate("root", [], issued)
        self.certificate("middle", ["-CA", "root.crt", "-CAkey", "root.key"], issued)
        blocks, self.hosts = [], []
        for block in range(BLOCKS):
            addresses = [f"127.1.{block}.{number}:{PORT}" for number in range(1, EACH + 1)]
            self.hosts += addresses
            names = ",".join(f"IP:{address.split(':')[0]}" for address in addresses)
            leaf = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature", "extendedKeyUsage=serverAuth",
                    f"subjectAltName=DNS:host{block}.example.com,{names}"]
            self.certificate(f"host{block}", ["-CA", "middle.crt", "-CAkey", "middle.key"], leaf)
            with open(self.path(f"host{block}.chain"), "wb") as chain:
                for part in (f"host{block}.crt", "middle.crt"):
                    with open(self.path(part), "rb") as certificate:
                        chain.write(certificate.read())
            listens = "".join(f"listen {address} ssl; " for address in addresses)
            blocks.append(f"server {{ {listens} ssl_certificate {self.path(f'host{block}.chain')}; "
                          f"ssl_certificate_key {self.path(f'host{block}.key')}; return 204; }}\n")
        with open(self.path("nginx.conf"), "w") as config:
            config.write(f"daemon off; pid {self.path('pid')}; error_log {self.path('error.log')}; worker_processes 1;\n"
                         f"worker_rlimit_nofile 8192; events {{ worker_connections 4096; }}\n"
                         f"http {{ access_log off; ssl_session_cache off; ssl_session_tickets off;\n{''.join(blocks)}}}\n")
        with open(self.path("list"), "w") as addresses:
            addresses.write("\n".join(self.hosts) + "\n")
        with open(self.path("curl"), "w") as config:
            config.write("".join(f'url = "https://{host}/"\noutput = "/dev/null"\n' for host in self.hosts))

    def path(self, name):
        return os.path.join(self.folder, name)

    def certificate(self, name, signer, extensions):
        added = [word for extension in extensions for word in ("-addext", extension)]
        argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90",
                "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.crt", *signer, *added]
        subprocess.run(argv, cwd=self.folder, check=True, env=ENV, capture_output=True)

    def __enter__(self):
        self.server = subprocess.Popen(["nginx", "-c", self.path("nginx.conf")], env=ENV, stderr=subprocess.DEVNULL)
        while not os.path.exists(self.path("pid")):
            if self.server.poll() is not None:
                raise SystemExit("nginx does not start")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()
        shutil.rmtree(self.folder)


def counted(certctl, handshakes, nginx, instructions):
    """Returns the instructions of certctl and of the reference program for `COUNTED` servers. Both verify the signature of
    each handshake. `instructions` is the function of benches/run."""
    some = nginx.hosts[:COUNTED]
    with open(nginx.path("some"), "w") as addresses:
        addresses.write("\n".join(some) + "\n")
    ours, _ = instructions([certctl, "status", "--jsonl", *some], nginx.folder)
    theirs, _ = instructions([handshakes, nginx.path("some"), str(AT_ONCE)], nginx.folder)
    return ours, theirs


def measure(certctl, handshakes, base, rounds, row, instructions):
    """Prints rows for 1,000 servers with `row`. Returns True if every goal is met."""
    ours, theirs, curls = [], [], []
    with Nginx(base) as nginx:
        hosts = len(nginx.hosts)
        curl = ["curl", "--parallel", "--parallel-max", str(AT_ONCE), "--insecure", "--silent", "--config", nginx.path("curl")]
        for _ in range(max(3, rounds // 3)):
            ours.append(run([certctl, "status", "--jsonl", *nginx.hosts], nginx.folder))
            theirs.append(run([handshakes, nginx.path("list"), str(AT_ONCE)], nginx.folder))
            curls.append(run(curl, nginx.folder))
        counts = counted(certctl, handshakes, nginx, instructions)
        if (reached := theirs[-1][4].split()[0]) != str(hosts):
            raise SystemExit(f"the reference program reached {reached} of {hosts} servers")
    middle = lambda side, place: statistics.median(one[place] for one in side)  # noqa: E731
    cpu, wall = (middle(ours, 0), middle(theirs, 0)), (middle(ours, 1), middle(curls, 1))
    row(f"{hosts} TLS hosts : rustls alone, CPU ms", f"{cpu[0]:.0f}", f"{cpu[1]:.0f}", cpu[0] / cpu[1], GOAL)
    row("  hosts per second : curl --parallel", f"{hosts / wall[0] * 1e3:.0f}", f"{hosts / wall[1] * 1e3:.0f}", wall[0] / wall[1], 1 / 3)
    row(f"  instructions for {COUNTED} : rustls", f"{counts[0] / 1e6:.0f} M", f"{counts[1] / 1e6:.0f} M", counts[0] / counts[1], GOAL)
    return counts[0] <= GOAL * counts[1] and cpu[0] <= GOAL * cpu[1] and wall[0] <= wall[1] / 3
