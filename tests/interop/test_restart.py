"""cache.file: what the server knew before it ended, however it ended."""

import json
import stat

import pytest
import zone
from ask import dig
from processes import poll

NAME = f"www.{zone.ORIGIN}"
BOTH = ["192.0.2.1", "192.0.2.2"]


def cache_file(server):
    return json.loads(server.ctl("--json", "status"))["cache_file"]


@pytest.fixture
def filed(start, tmp_path):
    """An NSD and a server that keeps what it answers in a file."""
    nsd = start.nsd()
    return nsd, start.peregrine({".": [nsd.port]}, timeout="2s", cache_file=tmp_path / "cache")


def written(server, entries):
    """Waits until so many have been put into the file."""
    poll(lambda: cache_file(server)["entries_written"] >= entries, "the cache is written")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_answers_are_there_after_a_restart(filed, end):
    nsd, server = filed
    names = [NAME, *zone.LOAD_NAMES[:20]]
    before = {name: dig(server.port, name).data("A") for name in names}
    denied = f"absent.{zone.ORIGIN}"
    assert dig(server.port, denied).rcode == "NXDOMAIN"
    written(server, len(names) + 1)
    getattr(server, end)()
    nsd.stop()
    server.start()
    assert {name: dig(server.port, name).data("A") for name in names} == before
    assert dig(server.port, denied).rcode == "NXDOMAIN"
    assert dig(server.port, f"mail.{zone.ORIGIN}").rcode == "SERVFAIL"
    assert cache_file(server)["loaded"] >= len(names) + 1
    assert "cache file" in server.ctl("status")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_was_flushed_stays_away(filed, end):
    nsd, server = filed
    for name in (NAME, *zone.LOAD_NAMES[:5]):
        dig(server.port, name)
    written(server, 6)
    server.ctl("cache", "flush", NAME)
    getattr(server, end)()
    nsd.stop()
    server.start()
    assert dig(server.port, NAME).rcode == "SERVFAIL"


def test_other_servers_than_before_are_asked(filed, start):
    _, server = filed
    assert dig(server.port, NAME).data("A") == BOTH
    written(server, 1)
    server.stop()
    server.upstreams = {".": [start.nsd().port]}
    server.configure(allow=["127.0.0.0/8"])
    server.start()
    assert cache_file(server)["loaded"] == 0
    assert dig(server.port, NAME).data("A") == BOTH


def test_garbage_is_set_aside(filed, tmp_path):
    _, server = filed
    server.stop()
    path = tmp_path / "cache"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(b"no cache at all" * 1000)
    server.start()
    assert dig(server.port, NAME).data("A") == BOTH
    assert (tmp_path / "cache.bad").read_bytes().startswith(b"no cache at all")
    assert cache_file(server)["set_aside"] and cache_file(server)["writing"]
    assert "cache.bad" in server.log()


def test_damage_is_counted_and_told_once(filed, tmp_path):
    _, server = filed
    names = [NAME, *zone.LOAD_NAMES[:20]]
    for name in names:
        dig(server.port, name)
    server.stop()
    path = tmp_path / "cache"
    octets = bytearray(path.read_bytes())
    front = 4096 + 512 * 512  # the header and the journal
    for at in range(front, len(octets) - 80, 512):
        octets[at + 80] ^= 1
    path.write_bytes(octets)
    server.start()
    assert dig(server.port, NAME).data("A") == BOTH
    seen = cache_file(server)
    assert seen["dropped_segments"] + seen["malformed"] > 0 and seen["loaded"] == 0 and seen["writing"]
    assert server.log().count("were dropped") == 1


def test_two_servers_do_not_share_a_file(filed, start, tmp_path):
    nsd, server = filed
    other = start.peregrine({".": [nsd.port]}, cache_file=tmp_path / "cache")
    assert cache_file(other) is None and cache_file(server)["writing"]
    assert dig(other.port, NAME).data("A") == BOTH
    assert "another process" in other.log()
