"""Compares `dcv-check --batch` and one lookup with dig, hickory and a raw loop, against a knot on loopback that it starts."""

import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

MANY = 20_000
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
UNIQUE = "69ff68dc5168c.comodoca.com."


class Knot:
    """A knotd with a zone of `MANY` validation records, each for another request, and lists of them for each program."""

    def __init__(self, base):
        self.folder = tempfile.mkdtemp(dir=base)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        records = [(f"_{number:032x}.host{number}.shop.example.", f"{number:032x}.{number * 7:032x}.{UNIQUE}") for number in range(MANY)]
        self.write("zone", "$ORIGIN shop.example.\n$TTL 60\n@ SOA ns1 h 1 3600 600 86400 900\n@ NS ns1\nns1 A 127.0.0.1\n"
                   + "".join(f"{name} CNAME {target}\n" for name, target in records))
        self.batch = self.write("batch", "".join(f"{name} {target}\n" for name, target in records))
        self.one = self.write("one", "{} {}\n".format(*records[0]))
        self.dig = self.write("dig", "".join(f"{name} CNAME\n" for name, _ in records))
        self.name = records[0][0]
        config = self.write("knot.conf", f"""server:
  rundir: "{self.folder}"
  listen: "127.0.0.1@{self.port}"
  udp-workers: 1
database:
  storage: "{self.folder}"
zone:
  - domain: shop.example
    file: "{self.folder}/zone"
    zonefile-sync: -1
    journal-content: none
""")
        self.server = subprocess.Popen(["knotd", "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENV)
        for _ in range(100):
            if subprocess.run(self.digs(self.name, "+short"), capture_output=True, env=ENV).stdout:
                return
            time.sleep(0.1)
        raise SystemExit("knotd does not answer")

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def digs(self, *words):
        return ["dig", "@127.0.0.1", "-p", str(self.port), "+tries=3", "+time=1", "CNAME", *words]

    def at(self):
        return f"127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.kill()
        self.server.wait()
        shutil.rmtree(self.folder)


def run(argv, cwd):
    """Runs a command; returns its CPU time in ms, its wall time in ms and its output."""
    with tempfile.TemporaryFile(dir=cwd) as out:
        start = time.perf_counter()
        child = subprocess.Popen(argv, cwd=cwd, env=ENV, stdout=out, stderr=subprocess.DEVNULL)
        _, _, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        out.seek(0)
        return (usage.ru_utime + usage.ru_stime) * 1e3, wall * 1e3, out.read().decode()


def memory(argv, cwd):
    """Returns the peak memory of a command in MiB. `ru_maxrss` would include the memory of Python before exec."""
    most = 0
    with subprocess.Popen(argv, cwd=cwd, env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        while child.poll() is None:
            with open(f"/proc/{child.pid}/status") as status:
                peak = [int(line.split()[1]) for line in status if line.startswith("VmHWM:")]
            most = max([most, *peak])
            time.sleep(0.005)
    return most / 1024


def measure(certctl, yardstick, base, rounds, row):
    """Prints rows for one lookup and for many with `row`. Returns True if every goal is met."""
    with Knot(base) as knot:
        batch = [certctl, "dcv-check", "--resolver", knot.at(), "--batch"]
        sides = {
            "one": [*batch, knot.one],
            "dig": knot.digs(knot.name),
            "many": [*batch, knot.batch],
            "dig -f": ["dig", "@127.0.0.1", "-p", str(knot.port), "+tries=3", "+time=1", "-f", knot.dig],
            "hickory": [os.path.join(yardstick, "dns_hickory"), knot.batch, knot.at()],
            "raw": [os.path.join(yardstick, "dns_raw"), knot.batch, knot.at()],
        }
        runs = {name: [] for name in sides}
        for _ in range(rounds):
            for name, argv in sides.items():
                runs[name].append(run(argv, base))
        held = {name: memory(sides[name], base) for name in ("many", "hickory")}
    cpu, wall = ({name: statistics.median(one[at] for one in side) for name, side in runs.items()} for at in range(2))
    lost = MANY - min(json.loads(one[2].splitlines()[-1])["verdicts"].get("visible", 0) for one in runs["many"])
    lines = min(len(one[2].splitlines()) for one in runs["many"])
    theirs = MANY - int(runs["hickory"][-1][2].split()[0])
    raw = MANY - min(int(one[2].split()[-2]) for one in runs["raw"])
    if raw > 0:
        raise SystemExit(f"the raw loop lost {raw} answers")
    fine = []

    def judge(title, ours, other, value, goal):
        row(title, ours, other, value, goal)
        fine.append(value <= goal)

    judge("one lookup : dig, CPU ms", f"{cpu['one']:.1f}", f"{cpu['dig']:.1f}", cpu["one"] / cpu["dig"], 0.3)
    judge(f"{MANY} checks : dig -f, wall ms", f"{wall['many']:.0f}", f"{wall['dig -f']:.0f}", wall["many"] / wall["dig -f"], 0.25)
    judge(f"{MANY} checks : hickory, CPU ms", f"{cpu['many']:.0f}", f"{cpu['hickory']:.0f}", cpu["many"] / cpu["hickory"], 1.2)
    judge(f"{MANY} checks : a raw loop, wall ms", f"{wall['many']:.0f}", f"{wall['raw']:.0f}", wall["many"] / wall["raw"], 1.7)
    judge(f"{MANY} checks : a raw loop, CPU ms", f"{cpu['many']:.0f}", f"{cpu['raw']:.0f}", cpu["many"] / cpu["raw"], 3)
    judge("  JSON lines without the summary", str(lines - 1), str(MANY), MANY - (lines - 1), 0)
    judge("  memory, MiB", f"{held['many']:.1f}", f"{held['hickory']:.1f}", held["many"], 24)
    judge("  lost answers", str(lost), str(theirs), lost, 0)
    print(f"{'':36}wall one {wall['one']:.1f} / {wall['dig']:.1f} ms   many {wall['many']:.0f} / hickory {wall['hickory']:.0f} ms   (n={rounds})")
    return all(fine)
