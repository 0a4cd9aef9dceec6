"""Certificates, made by the program `openssl`."""

import hashlib
import ipaddress
import subprocess


class Authority:
    """Self-signed, in a folder; certificates that it signs go there, too."""

    def __init__(self, folder, name="authority"):
        self.folder, self.name = folder, name
        self.file = folder / f"{name}.pem"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                 "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", self.file)

    def sign(self, name, hosts, key="ec"):
        """NAME.pem and NAME.key for these hosts, names or addresses; returns their paths."""
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] if key == "ec" else ["-newkey", key]
        names = ",".join(f"{kind_of(host)}:{host}" for host in hosts)
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        _openssl("req", "-x509", *kind, "-nodes", "-days", "20", "-subj", f"/CN={name}", "-addext",
                 f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE", "-CA", self.file, "-CAkey",
                 self.folder / f"{self.name}.key", "-out", paths[0], "-keyout", paths[1])
        return paths


def kind_of(host):
    """Of a subjectAltName."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "DNS"
    return "IP"


def pin(certificate):
    """Of the certificate's key, as `tls_pins` has it."""
    key = _openssl("x509", "-in", certificate, "-noout", "-pubkey")
    return hashlib.sha256(_openssl("pkey", "-pubin", "-outform", "DER", stdin=key)).hexdigest()


def subject_shown(address, port, name, *more):
    """The name of the certificate that a server shows after STARTTLS to who wants that host (None: who says none)."""
    wanted = ["-servername", name] if name else ["-noservername"]
    shown = _openssl("s_client", "-starttls", "smtp", "-connect", f"{address}:{port}", *wanted, *more, stdin=b"QUIT\r\n")
    text = _openssl("x509", "-noout", "-subject", stdin=shown).decode()
    return text.partition("CN = ")[2].strip()


def _openssl(*words, stdin=b""):
    done = subprocess.run(["openssl", *(str(word) for word in words)], input=stdin, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout
