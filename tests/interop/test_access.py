"""Who may ask."""

import zone
from ask import dig, kdig

NAME = f"www.{zone.ORIGIN}"


def test_strangers_are_refused(start):
    server = start.peregrine({".": [start.nsd().port]}, allow=["127.0.0.1/32"])
    for client in (dig, kdig):
        for transport in ("+notcp", "+tcp"):
            assert client(server.port, NAME, "A", transport, source="127.0.0.1").data("A") == ["192.0.2.1", "192.0.2.2"]
            refused = client(server.port, NAME, "A", transport, source="127.0.0.2")
            assert refused.rcode == "REFUSED", refused.text
            assert refused.ede == {18}  # Prohibited, RFC 8914
            assert refused.answer == []


def test_strangers_get_no_special_names(start):
    server = start.peregrine({".": [start.nsd().port]}, allow=["127.0.0.1"])
    assert dig(server.port, "localhost.", source="127.0.0.1").rcode == "NOERROR"
    assert dig(server.port, "localhost.", source="127.0.0.2").rcode == "REFUSED"
