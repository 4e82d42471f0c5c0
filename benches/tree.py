"""Compares `status FOLDER --jsonl` over trees of certificates and keys with a straightforward program (x509-parser, rayon)."""

import base64
import datetime
import json
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import textwrap
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SIZES = (1_000, 10_000, 100_000)
MODELS = 300
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
NOW = datetime.datetime.now(datetime.timezone.utc)
SERIAL = 1 << 100


def pem(label, der):
    lines = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode()


class Models:
    """A few hundred certificates from an EC and an RSA intermediate, 60 % of them with EC keys, and their keys."""

    def __init__(self):
        chance = random.Random(6)
        self.pool = [rsa.generate_private_key(65537, 2048) for _ in range(16)]
        root, policy = (self.pool[0], "Bench Root CA"), (self.pool[1], "Bench Policy CA")
        issuers = [(ec.generate_private_key(ec.SECP256R1()), "Bench Issuing CA ECC"), (self.pool[2], "Bench Issuing CA RSA")]
        above = self.certificate(policy[0], self.name(policy[1]), root, ca=True)
        issuer_pem = [pem("CERTIFICATE", self.certificate(key, self.name(name), policy, ca=True)) + pem("CERTIFICATE", above)
                  for key, name in issuers]
        self.leaves, self.keys = [], []
        for number in range(MODELS):
            kind = int(chance.random() < 0.4)
            key = self.pool[number % 16] if kind else ec.generate_private_key(ec.SECP256R1())
            host = f"h{number}.example{number * 7 % 977}.com"
            names = [host] + [f"alt{more}.{host}" for more in range(1, 1 + number % 5)]
            days = -60 + number * 11 % 457
            self.leaves.append((self.certificate(key, self.name(host), issuers[kind], names=names, days=days), issuer_pem[kind]))
            self.keys.append(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))

    @staticmethod
    def name(common):
        return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "US"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Inc"),
                          x509.NameAttribute(NameOID.COMMON_NAME, common)])

    def certificate(self, key, subject, issuer, names=(), days=2000, ca=False):
        by, called = issuer
        usage = ("key_cert_sign", "crl_sign") if ca else ("digital_signature", "key_encipherment")
        fields = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                  "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
        extensions = [
            (x509.BasicConstraints(ca=ca, path_length=None), True),
            (x509.KeyUsage(*[field in usage for field in fields]), True),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), False),
        ]
        if not ca:
            extensions.append((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False))
            extensions.append((x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), False))
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name(called)).public_key(key.public_key())
        builder = builder.serial_number(SERIAL).not_valid_before(NOW - datetime.timedelta(days=400))
        builder = builder.not_valid_after(NOW + datetime.timedelta(days=days))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def write(folder, count, models):
    """Writes `count` files, 500 per folder: 70 % PEM certificates, 15 % chains, 8 % DER, 4 % keys, 3 % other files.

    Each certificate is a model with another serial number; its signature is therefore invalid, but is not verified."""
    chance, serial = random.Random(count), SERIAL.to_bytes(13, "big")
    for number in range(count):
        place = os.path.join(folder, f"d{number // 10_000:03}", f"c{number // 500:03}")
        if number % 500 == 0:
            os.makedirs(place)
        share, model = chance.random() * 100, chance.randrange(MODELS)
        leaf, issuer_pem = models.leaves[model]
        leaf = leaf.replace(serial, (SERIAL + number).to_bytes(13, "big"), 1)
        if share < 70:
            end, content = "pem", pem("CERTIFICATE", leaf)
        elif share < 85:
            end, content = "pem", pem("CERTIFICATE", leaf) + issuer_pem
        elif share < 93:
            end, content = "der", leaf
        elif share < 97:
            end, content = "key", models.keys[model]
        else:
            end, content = "bin", chance.randbytes(1024 + number % 4096)
        with open(os.path.join(place, f"h{number:06}.{end}"), "wb", opener=private) as file:
            file.write(content)


def private(path, flags):
    return os.open(path, flags, 0o600)


def run(argv, cwd):
    """Runs a command; returns CPU time in ms, wall time in ms, peak memory in MiB, and the end of stdout and of stderr."""
    with tempfile.TemporaryFile(dir=cwd) as out, tempfile.TemporaryFile(dir=cwd) as errors:
        start = time.perf_counter()
        child = subprocess.Popen(argv, cwd=cwd, env=ENV, stdout=out, stderr=errors)
        most = 0
        while not os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            # `ru_maxrss` would include the memory of Python before exec.
            with open(f"/proc/{child.pid}/status") as status:
                most = max([most, *[int(line.split()[1]) for line in status if line.startswith("VmHWM:")]])
            time.sleep(0.002)
        _, _, usage = os.wait4(child.pid, 0)
        child.returncode = 0
        wall = time.perf_counter() - start
        outputs = []
        for file in (out, errors):
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            outputs.append(file.read().decode(errors="replace"))
        return (usage.ru_utime + usage.ru_stime) * 1e3, wall * 1e3, most / 1024, *outputs


def measure(certctl, inventory, base, rounds, row):
    """Prints rows for trees of 1,000, 10,000 and 100,000 files with `row`. Returns True if every goal is met."""
    models, cpu, held, fine = Models(), {}, {}, []
    for count in (0, *SIZES):
        folder = tempfile.mkdtemp(dir=base)
        write(folder, count, models)
        turns = rounds if count < SIZES[-1] else max(3, rounds // 3)
        ours, theirs = [], []
        for _ in range(turns):
            ours.append(run([certctl, "status", folder, "--jsonl"], base))
            theirs.append(run([inventory, folder], base))
        shutil.rmtree(folder)
        cpu[count] = [statistics.median(one[0] for one in side) for side in (ours, theirs)]
        wall = [statistics.median(one[1] for one in side) for side in (ours, theirs)]
        held[count] = [max(one[2] for one in side) for side in (ours, theirs)]
        ours_found, theirs_found = json.loads(ours[-1][3].splitlines()[-1]), theirs[-1][4].split()
        counts = (ours_found["files"], ours_found["certificates"], ours_found["unreadable"])
        if counts != (int(theirs_found[0]), int(theirs_found[2]), 0) or ours_found["files"] != count:
            raise SystemExit(f"the programs found different files: {ours_found} {theirs_found}")
        if count:
            print(f"{count:6} files: cpu {cpu[count][0]:.1f} / {cpu[count][1]:.1f} ms   wall {wall[0]:.1f} / {wall[1]:.1f} ms   "
                  f"{ours_found['certificates']} certificates   (n={turns})")

    def judge(title, ours, other, value, goal):
        row(title, ours, other, value, goal)
        fine.append(value <= goal)

    most = SIZES[-1]
    judge(f"{most} files : x509-parser, CPU ms", f"{cpu[most][0]:.0f}", f"{cpu[most][1]:.0f}", cpu[most][0] / cpu[most][1], 1.1)
    judge("  memory, MiB", f"{held[most][0]:.1f}", f"{held[most][1]:.1f}", held[most][0], 32)
    each = {count: (cpu[count][0] - cpu[0][0]) * 1e3 / count for count in SIZES}
    for few in SIZES[:-1]:
        judge(f"{most} : {few} files, CPU us each", f"{each[most]:.1f}", f"{each[few]:.1f}", each[most] / each[few], 1.2)
    return all(fine)
