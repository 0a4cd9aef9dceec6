"""XCLIENT: from the servers that are named, and from nobody else."""

import re

import pytest
import wait
from client import Client
from network import ALICE, BackupMx

FRONT, STRANGER = "127.0.0.9", "127.0.0.8"
OFFER = "XCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT"


@pytest.fixture
def network(make_network, sink):
    return make_network(BackupMx, "backup-mx.conf", [
        ('retry = "1s"', f'xclient_from = {{"{FRONT}/32"}}  client_connections_max = 1  retry = "1s"')]).start()


def speak_for(session, attributes):
    assert session.reply().startswith("220 ")
    assert OFFER in session.say("EHLO front.outside.test")
    return session.say(f"XCLIENT {attributes}")


def test_the_client_that_is_spoken_for(network, sink):
    with Client(network.RELAY, FRONT) as session:
        said = speak_for(session, "ADDR=192.0.2.77 NAME=host.outside.test HELO=client.outside.test PROTO=ESMTP")
        assert said.startswith("220 relay1.example.test")
        assert session.say("MAIL FROM:<a@b.test>").startswith("503 ")
        session.say("EHLO again.outside.test")  # the last word on its name holds, as at Postfix
        assert session.send(ALICE).startswith("250 ")
    assert re.search(r"accepted .*client=192\.0\.2\.77 helo=again\.outside\.test ",
                     network.log())
    wait.until(lambda: sink.messages, "the message")
    assert b"Received: from again.outside.test (host.outside.test [192.0.2.77])" in sink.contents()[0]


def test_limits_are_the_clients(network):
    with Client(network.RELAY, FRONT) as first, Client(network.RELAY, FRONT) as other:
        assert speak_for(first, "ADDR=192.0.2.77").startswith("220 ")
        assert speak_for(other, "ADDR=192.0.2.78").startswith("220 ")
        with Client(network.RELAY, FRONT) as second:
            assert speak_for(second, "ADDR=192.0.2.77").startswith("421 4.7.0 ")
            assert second.reply() == ""


def test_an_address_of_the_network_is_not_counted(network):
    for own in ("127.0.0.1", network.RELAY[0]):
        with Client(network.RELAY, FRONT) as first, Client(network.RELAY, FRONT) as second:
            assert speak_for(first, f"ADDR={own}").startswith("220 ")
            assert speak_for(second, f"ADDR={own}").startswith("220 ")


def test_a_client_that_the_peer_does_not_know_is_nobody(network, sink):
    with Client(network.RELAY, FRONT) as session:
        assert speak_for(session, "ADDR=192.0.2.77 HELO=client.outside.test").startswith("220 ")
        session.say("EHLO client.outside.test")
        assert session.say("XCLIENT ADDR=[UNAVAILABLE] HELO=[UNAVAILABLE]").startswith("220 ")
        with Client(network.RELAY, FRONT) as former:  # whose only session is over
            assert speak_for(former, "ADDR=192.0.2.77").startswith("220 ")
        session.say("EHLO front.outside.test")
        assert session.send(ALICE).startswith("250 ")
    assert re.search(r'accepted .*client=(""|) helo=front\.outside\.test ',
                     network.log())
    wait.until(lambda: sink.messages, "the message")
    assert b"Received: from front.outside.test (unknown)" in sink.contents()[0]


def test_a_stranger_may_not(network):
    with Client(network.RELAY, STRANGER) as session:
        assert session.reply().startswith("220 ")
        assert "XCLIENT" not in session.say("EHLO client.outside.test")
        assert session.say("XCLIENT ADDR=192.0.2.77").startswith("550 5.7.0 ")
