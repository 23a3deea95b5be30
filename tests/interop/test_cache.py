"""What `ctl cache` tells of answers from an upstream (NSD), and flushing them."""

import json

import pytest
import zone
from ask import dig
from processes import LOOPBACK, run_peregrine

WWW = f"www.{zone.ORIGIN}"
ALIAS = f"alias.{zone.ORIGIN}"
MAIL = f"mail.{zone.ORIGIN}"


@pytest.fixture
def server(start):
    return start.peregrine({".": [start.nsd().port]})


def ctl_cache(server, *arguments):
    done = run_peregrine("ctl", "--state-dir", server.directory / "state", "cache", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def entries(server, *arguments):
    """The dump by name and type, and its last line."""
    *parts, last = map(json.loads, ctl_cache(server, "dump", "--json", *arguments).splitlines())
    assert last == {"ok": True, "entries": len(parts)}
    return {(part["name"], part["type"]): part for part in parts}


def fill(server):
    dig(server.port, WWW, "A")
    dig(server.port, ALIAS, "A")
    dig(server.port, MAIL, "A")
    dig(server.port, f"absent.{zone.ORIGIN}", "A")


def test_dump_tells_what_was_asked(server):
    fill(server)
    held = entries(server, "--zone", zone.ORIGIN)
    assert set(held) == {(name, "A") for name in (WWW, ALIAS, MAIL, f"absent.{zone.ORIGIN}")}
    www = held[WWW, "A"]
    assert 3500 < www["ttl_s"] <= 3600
    assert not www["expired"]
    assert www["rcode"] == "NOERROR"
    absent = held[f"absent.{zone.ORIGIN}", "A"]
    assert absent["rcode"] == "NXDOMAIN"
    assert absent["ttl_s"] <= 300
    assert entries(server, "--zone", "example.org") == {}


def test_dump_for_people(server):
    fill(server)
    heading, *lines, last = ctl_cache(server, "dump", "--zone", WWW).splitlines()
    assert heading.split() == ["TTL", "AGE", "OCTETS", "FREQ", "VIEW", "FLAGS", "TYPE", "NAME"]
    assert [line.split()[-2:] for line in lines] == [["A", WWW]]
    assert last == "1 entry"


def test_stats(server):
    fill(server)
    fill(server)
    stats = json.loads(ctl_cache(server, "stats", "--json"))
    assert stats["hits"] >= 4
    assert stats["store"]["entries"] == stats["census"]["entries"] >= 4
    assert sum(age["entries"] for age in stats["census"]["ages"]) == stats["census"]["entries"]
    assert ctl_cache(server, "stats").splitlines()[0].split()[:2] == ["entries", f"{stats['census']['entries']},"]


def test_flush_of_a_name_takes_what_leads_to_it(server):
    fill(server)
    assert ctl_cache(server, "flush", WWW) == f"flushed {WWW}: 2 entries\n"
    assert {name for name, _ in entries(server, "--zone", zone.ORIGIN)} == {MAIL, f"absent.{zone.ORIGIN}"}
    assert dig(server.port, WWW).answer[0].ttl == 3600, "it was asked for anew"


def test_flush_of_a_zone(server):
    fill(server)
    ctl_cache(server, "flush", "--below", zone.ORIGIN)
    assert entries(server, "--zone", zone.ORIGIN) == {}
    fill(server)
    assert len(entries(server, "--zone", zone.ORIGIN)) == 4


MEBI = 1 << 20


def test_a_full_cache_keeps_to_its_size(start, tmp_path):
    """With one-A answers for names of 30 octets, one and a half times as many as fit: the figures of docs/design/store.md."""
    server = start.peregrine({".": [start.any_name().port]}, cache_file=tmp_path / "cache")
    names = tmp_path / "names"
    names.write_text("".join(f"h{number:013}.bench.example A\n" for number in range(210_000)))
    done = run_peregrine("bench", "load", f"{LOOPBACK}:{server.port}", "--names", names, "--order", "once", "--seconds", 25, "--timeout", 10)
    assert done.returncode == 0, done.stdout + done.stderr
    store = json.loads(ctl_cache(server, "stats", "--json"))["store"]
    assert store["capacity"] == 16 * MEBI
    assert store["octets"] <= store["capacity"]
    assert store["evicted"] > 0, "it is full"
    assert store["capacity"] / store["entries"] <= 128
    assert server.resident_octets() <= 48 * MEBI
