"""Names that are answered locally and never sent upstream."""

import dns.flags
import dns.message
import dns.rrset
import pytest
from ask import dig

LOCAL = [
    ("localhost.", "A", "NOERROR", ["127.0.0.1"]),
    ("localhost.", "AAAA", "NOERROR", ["::1"]),
    ("localhost.", "MX", "NOERROR", []),
    ("sub.LocalHost.", "A", "NOERROR", ["127.0.0.1"]),
    ("1.0.0.127.in-addr.arpa.", "PTR", "NOERROR", ["localhost."]),
    (f"1.{'0.' * 31}ip6.arpa.", "PTR", "NOERROR", ["localhost."]),
    ("2.0.0.127.in-addr.arpa.", "PTR", "NXDOMAIN", []),
    ("invalid.", "A", "NXDOMAIN", []),
    ("some.name.invalid.", "A", "NXDOMAIN", []),
    ("name.test.", "A", "NXDOMAIN", []),
    ("facebookcorewwwi.onion.", "A", "NXDOMAIN", []),
    ("1.2.3.10.in-addr.arpa.", "PTR", "NXDOMAIN", []),
    ("1.1.168.192.in-addr.arpa.", "PTR", "NXDOMAIN", []),
    ("1.1.16.172.in-addr.arpa.", "PTR", "NXDOMAIN", []),
    ("1.1.31.172.in-addr.arpa.", "PTR", "NXDOMAIN", []),
    ("1.0.64.100.in-addr.arpa.", "PTR", "NXDOMAIN", []),
    ("1.254.169.in-addr.arpa.", "PTR", "NXDOMAIN", []),
    ("10.in-addr.arpa.", "PTR", "NOERROR", []),
    ("1.d.f.ip6.arpa.", "PTR", "NXDOMAIN", []),
    ("1.8.e.f.ip6.arpa.", "PTR", "NXDOMAIN", []),
    ("printer.home.arpa.", "A", "NXDOMAIN", []),
    ("home.arpa.", "A", "NOERROR", []),
    ("_dns.resolver.arpa.", "SVCB", None, []),  # RFC 9462 leaves NXDOMAIN or NODATA to us
    ("resolver.arpa.", "A", "NOERROR", []),
]
# Neighbours of the above that belong to others.
FOREIGN = [
    "localhost.example.net.",
    "nottest.",
    "onion.example.net.",
    "1.1.32.172.in-addr.arpa.",
    "1.1.15.172.in-addr.arpa.",
    "1.0.128.100.in-addr.arpa.",
    "11.in-addr.arpa.",
    "arpa.",
]


def answer_everything(query, over_tcp):
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.RA
    reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "192.0.2.66"))
    return [reply.to_wire()]


@pytest.fixture
def upstream(fake_upstream):
    return fake_upstream(answer_everything)


def test_special_names_stay_here(start, upstream):
    server = start.peregrine({".": [upstream.port]})
    for name, rdtype, rcode, data in LOCAL:
        reply = dig(server.port, name, rdtype)
        assert rcode in (reply.rcode, None), reply.text
        assert reply.rcode in ("NOERROR", "NXDOMAIN")
        assert [record.data for record in reply.answer] == data
    assert upstream.queries == []


def test_their_neighbours_do_not(start, upstream):
    server = start.peregrine({".": [upstream.port]})
    for name in FOREIGN:
        assert dig(server.port, name).data("A") == ["192.0.2.66"], name
        assert upstream.asked_for(name) == 1, name
