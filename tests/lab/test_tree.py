"""The tree of zones for cold recursion hangs together: each level leads to the next, and each name that is asked for is there."""

import pathlib
import sys

import dns.zone

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / "macro"))

import tree  # noqa: E402


def read(server, apex):
    return dns.zone.from_text(tree.zones()[server][apex], origin=apex, relativize=False)


def delegated(server, apex):
    """The zones below, and where each says its server is."""
    zone = read(server, apex)
    return {
        str(name): [str(rdata) for rdata in zone.find_rdataset(f"ns.{name}", "A")]
        for name, node in zone.nodes.items() if str(name) != apex and node.get_rdataset(dns.rdataclass.IN, dns.rdatatype.NS)
    }


def test_each_level_leads_to_the_next():
    tops = delegated(tree.ROOT_SERVER, ".")
    assert set(tops) == set(tree.zones()[tree.TOP_SERVER]) and all(at == [tree.TOP_SERVER] for at in tops.values())
    zones = {}
    for top in tops:
        zones |= delegated(tree.TOP_SERVER, top)
    assert set(zones) == set(tree.zones()[tree.ZONE_SERVER]) and all(at == [tree.ZONE_SERVER] for at in zones.values())


def test_each_name_is_in_a_zone_of_its_own():
    names = tree.names()
    assert len(names) == len(set(names)) == tree.TOPS * tree.ZONES
    assert {name.removeprefix("www.") for name in names} == set(tree.zones()[tree.ZONE_SERVER])
    assert [str(rdata) for rdata in read(tree.ZONE_SERVER, "z0.t0.").find_rdataset("www.z0.t0.", "A")] == ["192.0.2.1"]
