"""Malformed DNS gets FORMERR, or silence where a reply could loop; and the server goes on."""

import random
import socket
import struct

import names
import pytest

FORMERR, NOTIMP, REFUSED = 1, 4, 5
ANSWER_LIMIT_S = 5


def header(identity=7, flags=0x0100, questions=1, answers=0):
    return struct.pack("!6H", identity, flags, questions, answers, 0, 0)


def question(name=b"\x07example\x04test\x00", rtype=15):
    return name + struct.pack("!2H", rtype, 1)


@pytest.fixture
def ask(backup_mx):
    """ask(bytes): the reply to a datagram, or None. A good query goes after it, so that silence needs no waiting."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stream:
        stream.settimeout(ANSWER_LIMIT_S)
        stream.connect(backup_mx.DNS[0])

        def ask_it(datagram):
            stream.send(datagram)
            stream.send(header(identity=4242) + question())
            got = stream.recv(4096)
            if got[:2] == struct.pack("!H", 4242):
                return None
            assert stream.recv(4096)[:2] == struct.pack("!H", 4242), "the good query is answered too"
            return got

        yield ask_it


def code_of(reply):
    assert reply is not None, "no reply"
    assert reply[2] & 0x80, "a response"
    return reply[3] & 15


@pytest.mark.parametrize("datagram", [
    header(questions=2) + question() + question(),
    header(questions=0),
    header() + b"\x07exam",
    header() + b"\xc0\x0c\x00\x0f\x00\x01",
    header() + question()[:-1],
    header() + b"\x3f" + b"x" * 10,
], ids=["two-questions", "no-question", "cut-name", "pointer-to-itself", "cut-type", "label-beyond-the-end"])
def test_malformed(ask, datagram):
    assert code_of(ask(datagram)) == FORMERR


@pytest.mark.parametrize("datagram", [b"", b"\x00", header()[:11], header(flags=0x8100) + question(),
                                      header(flags=0x8000)],
                         ids=["empty", "one-byte", "cut-header", "a-response", "a-response-of-nothing"])
def test_silence_where_a_reply_could_loop(ask, datagram):
    assert ask(datagram) is None


def test_another_operation(ask):
    assert code_of(ask(header(flags=0x2800) + question())) == NOTIMP


def test_another_zone(ask):
    assert code_of(ask(header() + question(b"\x05other\x04test\x00"))) == REFUSED


def test_random_bytes(ask):
    dice = random.Random(1)
    for _ in range(300):
        ask(bytes(dice.randrange(256) for _ in range(dice.randrange(1, 90))))


def test_names_that_are_not_there(two_site):
    """NXDOMAIN and NODATA told apart, both with the SOA; over TCP too."""
    for ns in two_site.DNS:
        for options in ((), ("+tcp",)):
            assert names.status_of(ns, "nowhere.example.test", "A", *options) == "NXDOMAIN"
            text = names.dig(ns, "www.example.test", "MX", *options)
            assert "status: NOERROR" in text and "ANSWER: 0, AUTHORITY: 1" in text and "SOA" in text
        assert names.short(ns, "a.wild.example.test", "TXT") == ['"wildcard"']
        assert names.short(ns, "imap.example.test", "A") == ["mail1.example.test.", two_site.HOME]
