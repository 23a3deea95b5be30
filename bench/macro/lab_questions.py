"""Questions to the zones of `peregrine lab`, drawn from the plan that --zones writes: names that exist, names beside
and below them, below wildcards, DNAMEs and delegations, empty non-terminals; types that are there and that are not."""

import random

import dns.name

TYPES = ("A", "AAAA", "MX", "TXT", "NS", "SOA", "CNAME", "SRV", "DNAME", "PTR", "CAA", "TYPE65400", "DS")
WEIGHTS = (40, 15, 8, 8, 6, 5, 5, 3, 3, 2, 2, 2, 2)
BROKEN_WEIGHT = 0.02  # of zones that nobody can resolve: each question waits for a timeout


def owners(zone):
    """The owners of a zone's records, absolute, and the types that each has."""
    apex = dns.name.from_text(zone["apex"])
    found = {}
    for record in zone["records"]:
        owner, _, rdtype, _ = record.split(None, 3)
        found.setdefault(dns.name.from_text(owner, apex) if owner != "@" else apex, set()).add(rdtype)
    return found


def label(rng):
    return bytes(rng.choice(b"abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(rng.randint(1, 8)))


def below(name, labels):
    return dns.name.Name((*labels, *name.labels))


def draw_name(rng, apex, names):
    name = rng.choice(names)
    if name.labels[0] == b"*" and rng.random() < 0.9:
        name = below(name.parent(), [label(rng)])
    dice = rng.random()
    if dice < 0.65:
        return name
    if dice < 0.72:
        return below(apex, [label(rng)])
    if dice < 0.85:
        return below(name, [label(rng)])
    if dice < 0.9:
        return below(name, [label(rng), label(rng)])
    return name.parent() if name != apex else apex


def questions(plan, count, seed, zones=None):
    """`count` different (name, type, apex of the zone that they were drawn from): of all zones alike, but for those
    that do not resolve."""
    rng = random.Random(seed)
    zones = plan["zones"] if zones is None else zones
    tables = [(dns.name.from_text(zone["apex"]), owners(zone)) for zone in zones]
    weights = [1 if zone["resolves"] else BROKEN_WEIGHT for zone in zones]
    drawn = {}
    while len(drawn) < count:
        apex, table = rng.choices(tables, weights)[0]
        try:
            name = draw_name(rng, apex, list(table))
        except dns.name.NameTooLong:
            continue
        there = sorted(table.get(name, ()))
        rdtype = rng.choice(there) if there and rng.random() < 0.5 else rng.choices(TYPES, WEIGHTS)[0]
        drawn.setdefault((name, rdtype), apex)
    return [(name, rdtype, apex) for (name, rdtype), apex in drawn.items()]
