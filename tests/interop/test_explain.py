"""Why was this the answer: `ctl explain` of a server, and `query +trace` without one, in a tree of zones on NSD."""

import json

import processes
import pytest
import zone_tree


@pytest.fixture(scope="module")
def port(start_for_module):
    return start_for_module.tree()


@pytest.fixture
def resolver(start, port):
    """A Peregrine whose cache is empty."""
    return start.peregrine({}, workers=1, more=zone_tree.settings(port))


def explain(resolver, *arguments):
    return json.loads(resolver.ctl("explain", *arguments, "--json"))


def trace(port, *arguments):
    """`query +trace` from the tree's root: how it ended."""
    return processes.run_peregrine("query", "+trace", *arguments, "--root", f"{zone_tree.ROOT}:{port}", "--port", port)


def steps_of(report, kind):
    """All steps of one kind, in order, each with the zone whose servers it belongs to."""

    def walk(steps, zone):
        for step in steps:
            if step["kind"] == kind:
                yield zone, step
            yield from walk(step["steps"], step["name"] if step["kind"] == "zone" else zone)

    return list(walk(report["steps"], None))


def asked(report):
    return [(zone, step["server"].rsplit(":", 1)[0]) for zone, step in steps_of(report, "query")]


def data(report):
    return [(record["type"], record["data"]) for record in report["result"]["answer"]]


WAY = [(".", zone_tree.ROOT), ("top.", zone_tree.TOP), ("site.top.", zone_tree.ZONE)]


def test_each_cut_and_server_is_named(resolver, port):
    report = explain(resolver, "www.site.top")
    assert report["answered_by"] == {"by": "root"}
    assert asked(report) == WAY
    assert all(step["rtt_ms"] > 0 and step["transport"] == "udp" for _, step in steps_of(report, "query"))
    assert data(report) == [("A", "192.0.2.1")]
    assert report["result"]["server"] == f"{zone_tree.ZONE}:{port}"
    assert report["result"]["packets"] == len(WAY)


def test_what_is_cached_is_said_to_be(resolver):
    explain(resolver, "www.site.top")
    whole = explain(resolver, "www.site.top")
    assert whole["answered_by"]["by"] == "cache"
    assert 0 < whole["answered_by"]["ttl_s"] <= 3600
    assert not steps_of(whole, "query")
    # Who asks for signatures has another answer, which is made of the same RRset.
    rrset = explain(resolver, "www.site.top", "--dnssec")
    assert [step["name"] for _, step in steps_of(rrset, "cached")] == ["www.site.top."]
    assert not steps_of(rrset, "query")
    # The zone's servers are known, and so are not looked for.
    assert asked(explain(resolver, "absent.site.top")) == WAY[2:]


def test_fresh_passes_the_cache_over_and_leaves_it_as_it_is(resolver):
    explain(resolver, "www.site.top")
    report = explain(resolver, "www.site.top", "--fresh")
    assert report["fresh"] is True
    assert asked(report) == WAY
    assert explain(resolver, "www.site.top")["answered_by"]["by"] == "cache"


def test_aliases_lead_on(resolver):
    report = explain(resolver, "alias.site.top", "A")
    assert [kind for kind, _ in data(report)] == ["CNAME", "A"]
    assert [server for _, server in asked(report)] == [server for _, server in WAY + WAY[1:]]


def test_private_servers_of_others_are_not_asked(start, port):
    wary = start.peregrine({}, more=zone_tree.settings(port, query_private=False))
    report = explain(wary, "www.site.top")
    assert asked(report) == [(".", zone_tree.ROOT)]
    said = [step["outcome"] for _, step in steps_of(report, "remark")]
    assert f"not asked: {zone_tree.TOP} is a private address" in said
    assert report["result"]["rcode"] == "SERVFAIL"
    assert report["result"]["extended_error"]["code"] == 22


def test_what_is_forwarded_and_what_is_special(start, port):
    nsd = start.nsd()
    server = start.peregrine({"interop.example.net": [nsd.port]}, more=zone_tree.settings(port))
    forwarded = explain(server, "www.interop.example.net")
    assert forwarded["answered_by"] == {
        "by": "forward",
        "zone": "interop.example.net.",
        "first": False,
        "servers": [f"{processes.LOOPBACK}:{nsd.port}"],
    }
    assert asked(forwarded) == [("interop.example.net.", processes.LOOPBACK)]
    assert explain(server, "localhost")["answered_by"] == {"by": "special_name", "zone": "localhost."}


def test_the_text_has_the_same_facts(resolver, port):
    text = resolver.ctl("explain", "www.site.top")
    report = explain(resolver, "www.site.top", "--fresh")
    assert ";; www.site.top. A: resolved from the servers of the root\n" in text
    for zone, step in steps_of(report, "query"):
        assert f" servers of {zone}\n" in text
        assert f" {step['name']} {step['type']} at {step['server']}: {step['outcome']}\n" in text
    assert "www.site.top.\t3600\tIN\tA\t192.0.2.1\n" in text
    assert f"3 packets; answered by {zone_tree.ZONE}:{port}\n" in text
    assert "\x1b" not in text


def test_trace_needs_no_server(port):
    done = trace(port, "www.site.top", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert asked(report) == WAY
    assert data(report) == [("A", "192.0.2.1")]
    text = trace(port, "www.site.top").stdout
    assert all(f" at {server}:{port}: " in text for _, server in WAY)
    assert "www.site.top.\t3600\tIN\tA\t192.0.2.1\n" in text


def test_trace_of_what_there_is_not(port):
    absent = trace(port, "absent.site.top", "+json")
    assert absent.returncode == 1
    assert json.loads(absent.stdout)["result"]["rcode"] == "NXDOMAIN"
    lost = trace(port, "www.lost.top", "+json", "--timeout", "1.5")
    assert lost.returncode == 2
    report = json.loads(lost.stdout)
    silent = [step for zone, step in steps_of(report, "query") if zone == "lost.top."]
    assert silent
    assert all(step["server"] == f"{zone_tree.SILENT}:{port}" and step["rtt_ms"] is None for step in silent)
    assert report["result"]["rcode"] == "SERVFAIL"
