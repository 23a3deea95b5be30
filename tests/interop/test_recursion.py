"""Names resolved from a root of NSD servers, as clients see it."""

import dns.flags
import dns.message
import dns.rrset
import processes
import pytest
import zone_tree
from ask import dig


@pytest.fixture(scope="module")
def port(start_for_module):
    return start_for_module.tree()


@pytest.fixture
def resolver(start, port):
    """A Peregrine whose cache is empty."""
    return start.peregrine({}, workers=1, more=zone_tree.settings(port))


def test_without_recursion_desired_what_is_known_is_given(resolver):
    assert dig(resolver.port, "alias.site.top", "A", "+norec").rcode == "REFUSED"
    assert dig(resolver.port, "alias.site.top").rcode == "NOERROR"
    # Never asked for itself, but a part of what was.
    known = dig(resolver.port, "www.other.top", "A", "+norec")
    assert known.data("A") == ["192.0.2.2"], known.text
    assert dig(resolver.port, "www.site.top", "A", "+norec").rcode == "REFUSED"


def test_a_failure_holds_for_a_moment(resolver):
    # Longer each time: one of them finds it held, however slow this machine is.
    replies = [dig(resolver.port, "www.lost.top", "A", "+timeout=8", "+tries=1") for _ in range(4)]
    assert {reply.rcode for reply in replies} == {"SERVFAIL"}
    assert 13 not in replies[0].ede and any(13 in reply.ede for reply in replies), replies[-1].text


def test_what_a_forwarder_leaves_open_is_followed(start, port, fake_upstream):
    def alias_alone(query, _):
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        name = query.question[0].name
        reply.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", "www.site.top."))
        return [reply.to_wire()]

    upstream = fake_upstream(alias_alone)
    server = start.peregrine({"corp.example": [upstream.port]}, workers=1, more=zone_tree.settings(port))
    reply = dig(server.port, "intranet.corp.example")
    assert reply.data("CNAME") == ["www.site.top."] and reply.data("A") == ["192.0.2.1"], reply.text


def test_a_root_that_does_not_answer_is_said(start, tmp_path):
    hints = tmp_path / "root.hints"
    hints.write_text(f". 3600000 NS a.root.\na.root. 3600000 A {zone_tree.SILENT}\n")
    more = f'[recursion]\nroot_hints = "{hints}"\nport = {processes.free_port()}\nquery_private = true\n'
    server = start.peregrine({}, workers=1, timeout="300ms", more=more)
    processes.poll(lambda: "no server of the root answers" in server.log(), "the warning")
    assert "[[forward]]" in server.log() and "make lab" in server.log()
