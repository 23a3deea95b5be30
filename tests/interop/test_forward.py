"""Answers from an upstream (NSD), as dig and kdig see them."""

import ask
import pytest
import zone
from ask import dig, kdig
from processes import poll

ABSENT = f"absent.{zone.ORIGIN}"
ANSWERS = [
    ("www", "A", "A", ["192.0.2.1", "192.0.2.2"]),
    ("www", "AAAA", "AAAA", ["2001:db8::1"]),
    ("@", "MX", "MX", [f"10 mail.{zone.ORIGIN}", f"20 backup.{zone.ORIGIN}"]),
    ("@", "NS", "NS", [f"ns.{zone.ORIGIN}"]),
    ("text", "TXT", "TXT", ['"one" "two words"']),
    ("_sip._udp", "SRV", "SRV", [f"10 20 5060 sip.{zone.ORIGIN}"]),
    ("alias", "CNAME", "CNAME", [f"www.{zone.ORIGIN}"]),
    ("alias", "A", "CNAME", [f"www.{zone.ORIGIN}"]),
    ("alias", "A", "A", ["192.0.2.1", "192.0.2.2"]),
    ("second", "AAAA", "CNAME", [f"alias.{zone.ORIGIN}", f"www.{zone.ORIGIN}"]),
    ("unknown", "TYPE65400", "TYPE65400", ["\\# 3 010203"]),
]


def absolute(name):
    return zone.ORIGIN if name == "@" else f"{name}.{zone.ORIGIN}"


@pytest.fixture(params=[dig, kdig], ids=["dig", "kdig"])
def client(request):
    return request.param


@pytest.fixture(params=["+notcp", "+tcp"], ids=["udp", "tcp"])
def transport(request):
    return request.param


@pytest.mark.parametrize(("name", "asked", "rdtype", "data"), ANSWERS)
def test_answer(server, client, transport, name, asked, rdtype, data):
    reply = client(server.port, absolute(name), asked, transport)
    assert reply.rcode == "NOERROR", reply.text
    assert {"qr", "rd", "ra"} <= reply.flags
    assert "aa" not in reply.flags
    assert reply.data(rdtype) == data
    assert reply.transport == ("TCP" if transport == "+tcp" else "UDP")


@pytest.mark.parametrize(("name", "rdtype", "rcode"), [(ABSENT, "A", "NXDOMAIN"), (absolute("www"), "MX", "NOERROR")])
def test_denial_carries_the_soa(server, client, transport, name, rdtype, rcode):
    """RFC 2308: the SOA's TTL is at most its MINIMUM."""
    reply = client(server.port, name, rdtype, transport)
    assert reply.rcode == rcode, reply.text
    assert reply.answer == []
    assert [(record.owner, record.rdtype) for record in reply.authority] == [(zone.ORIGIN, "SOA")]
    assert reply.authority[0].ttl <= 300


def test_ttl_ages(server, client):
    name = absolute("mail")
    first = client(server.port, name).answer[0].ttl
    assert 3590 <= first <= 3600

    def younger():
        return first - 100 < client(server.port, name).answer[0].ttl < first

    poll(younger, "the TTL in the cache ages")


def test_negative_ttl_ages(server):
    name = f"ageing.{ABSENT}"
    first = dig(server.port, name).authority[0].ttl
    poll(lambda: dig(server.port, name).authority[0].ttl < first, "the TTL of the SOA ages")


def test_letter_case_is_the_clients(server, client):
    """RFC 4343: one cache entry for all spellings, and each client gets its own back."""
    for spelling in (f"WwW.{zone.ORIGIN.upper()}", f"wWw.{zone.ORIGIN}", f"www.{zone.ORIGIN}"):
        reply = client(server.port, spelling)
        assert reply.question == spelling
        assert {record.owner for record in reply.answer} == {spelling}


def test_large_answer_is_truncated_over_udp(server):
    """RFC 9715: rather TC than a datagram that would be fragmented."""
    for options, limit in ((["+bufsize=4096"], 1232), (["+bufsize=512"], 512), (["+noedns"], 512)):
        reply = dig(server.port, absolute("big"), "TXT", "+ignore", *options)
        assert "tc" in reply.flags, reply.text
        assert reply.transport == "UDP"
        assert reply.size <= limit


def test_large_answer_comes_whole_over_tcp(server, client):
    reply = client(server.port, absolute("big"), "TXT", "+noignore")
    assert "tc" not in reply.flags
    assert reply.data("TXT") == zone.BIG


def test_opt_only_for_those_who_sent_one(server):
    assert "EDNS: version: 0" in dig(server.port, absolute("www"), "A", "+edns=0").text
    assert "EDNS" not in dig(server.port, absolute("www"), "A", "+noedns").text


def test_any_is_answered_small(server, transport):
    """RFC 8482: a HINFO or a subset, but not all that there is."""
    reply = dig(server.port, absolute("www"), "ANY", transport)
    assert reply.rcode == "NOERROR", reply.text
    assert reply.answer
    assert len({record.rdtype for record in reply.answer}) == 1
    assert reply.size <= 512


def test_pipelined_queries_over_one_connection(server):
    """RFC 7766 section 6.2.1.1: all are answered, in whatever order."""
    queries = [ask.query_wire(name) for name in zone.LOAD_NAMES[:50]]
    assert ask.exchange_tcp_many(server.port, queries) == {wire[:2] for wire in queries}
