"""Sets of cross-signed CAs: every CA has a certificate from every other one, and the last one also from the root."""

import datetime
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.timezone.utc)


class Authority:
    def __init__(self, name):
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())

    def signs(self, name, key, extensions, days):
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self.name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(NOW - datetime.timedelta(days=1)).not_valid_after(NOW + datetime.timedelta(days=days))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def certifies(self, other):
        usage = x509.KeyUsage(*[field == "key_cert_sign" for field in (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")])
        return self.signs(other.name, other.key.public_key(), [
            (x509.BasicConstraints(ca=True, path_length=None), True),
            (usage, True),
            (x509.SubjectKeyIdentifier.from_public_key(other.key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False),
        ], 3650)

    def issues(self, host):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        return self.signs(name, key.public_key(), [
            (x509.SubjectAlternativeName([x509.DNSName(host)]), False),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False),
        ], 90)


def write(folder, count):
    """Writes the files for `count` CAs: leaf-N.pem, bag-N.pem (count * (count - 1) + 1 certificates), root-N.pem, and
    other-N.pem, a root that signed none of them. Returns the paths and the number of certificates in the bag."""
    root, other = Authority(f"Root {count}"), Authority(f"Other {count}")
    authorities = [Authority(f"CA {count} {number}") for number in range(count)]
    bag = [one.certifies(another) for one in authorities for another in authorities if one is not another]
    # In the middle, so that the result does not depend on the order.
    bag.insert(len(bag) // 2, root.certifies(authorities[-1]))
    files = {}
    for name, content in (("leaf", authorities[0].issues("example.com")), ("bag", b"".join(bag)),
                          ("root", root.certifies(root)), ("other", other.certifies(other))):
        files[name] = os.path.join(folder, f"{name}-{count}.pem")
        with open(files[name], "wb") as file:
            file.write(content)
    return files, len(bag)
