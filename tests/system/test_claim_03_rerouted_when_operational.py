"""The relay re-routes it to the messaging server when that is operational again: at once, on the health event."""

import pytest
from network import BackupMx

# So long that only the health event can be the reason.
NEVER_BY_TIME = (('retry = "1s"', 'retry = "1d"'),)


@pytest.fixture
def network(make_network):
    return make_network(BackupMx, "backup-mx.conf", NEVER_BY_TIME).start()


def test_all_that_waits_goes_to_it_on_the_health_event(network, make_sink, ledger):
    mta = network.mta(ledger)
    assert len(mta.send(50)) == 50
    assert ledger.hosts() == {network.RELAY[0]: 50}
    network.until(lambda: network.server()["state"] == "inoperable" and network.queued() == 50, "messages that wait")
    sink = make_sink()
    network.until(lambda: network.queued() == 0, "an empty queue")
    ledger.judge(sink.contents())
    assert network.server()["state"] == "operational"


def test_again_and_again(network, make_sink, ledger):
    mta, sink = network.mta(ledger), make_sink()
    for _ in range(3):
        network.until(lambda: network.server()["state"] == "operational", "an operational server")
        sink.stop()
        network.until(lambda: network.server()["state"] == "inoperable", "an inoperable server")
        mta.send(10)
        sink.start()
        network.until(lambda: network.queued() == 0 and ledger.has_all(sink.contents()), "all delivered")
    ledger.judge(sink.contents())


def test_oldest_first(network, make_sink, ledger):
    mta = network.mta(ledger)
    tags = mta.send(5, sessions=1)
    network.until(lambda: network.server()["state"] == "inoperable" and network.queued() == 5, "messages that wait")
    sink = make_sink()
    network.until(lambda: network.queued() == 0, "an empty queue")
    first = sink.contents()[0]
    assert f"X-Tag: {tags[0]}\r\n".encode() in first, "the slow start's first session takes the oldest"
