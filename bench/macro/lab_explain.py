"""Why Peregrine and another resolver differ about a question: a line a class, None where there is no reason."""

import dns.name

FAILED = ("SERVFAIL", "no reply")


def conducts(plan, name):
    """Those of the servers of the deepest zone that has the name."""
    zones = {dns.name.from_text(zone["apex"]): zone for zone in plan["zones"]}
    while name not in zones:
        name = name.parent()
    return [plan["servers"][server]["conduct"] for server in zones[name]["servers"]]


def aliases_in_a_ring(answer):
    links = {owner: next(iter(data)) for owner, rdtype, data in answer.rrsets if rdtype == "CNAME"}
    return any(target in links for target in links.values()) and all(target in links for target in links.values())


def dname_was_followed(question, ours, theirs):
    """RFC 1034 section 4.3.2: where the CNAME is what was asked for, it is the answer, and nothing follows it."""
    made_up = {rdtype for _, rdtype, _ in ours.rrsets} == {"DNAME", "CNAME"}
    return question[1] == "CNAME" and made_up and ours.rcode == "NOERROR" and theirs.rcode == "NXDOMAIN"


def reason(plan, question, ours, theirs):
    faults = conducts(plan, question[0])
    if ours.rcode in FAILED and theirs.rcode in FAILED:
        return "a ring of aliases: SERVFAIL, and Peregrine leaves the ring out" if aliases_in_a_ring(theirs) else \
            "no answer is to be had: SERVFAIL, or silence for 20 s and more"
    if ours.rcode not in FAILED and theirs.rcode in FAILED:
        gives_up = "the other one gives up on servers that are slow, silent, lame or of old software"
        return gives_up if any(faults) else None
    if ours.rrsets == theirs.rrsets and dname_was_followed(question, ours, theirs):
        return "below a DNAME the CNAME is the answer: whether its target exists is not asked (RFC 1034 section 4.3.2)"
    if any(fault.get("denies_ents") for fault in faults) and "NXDOMAIN" in (ours.rcode, theirs.rcode):
        return "the server denies a name that has names below it: who believes it finds nothing there (RFC 8020)"
    return None
