"""Upstreams that are dead, slow or lying: another is tried, and when all fail the client is told why."""

import concurrent.futures
import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import processes
import pytest
import zone
from ask import dig

TRUE, FALSE = "192.0.2.1", "192.0.2.66"


def answer(query, address=TRUE):
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.RA
    reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", address))
    return reply


def truth(query, over_tcp):
    return [answer(query).to_wire()]


def changed(change):
    """A lie: the false answer after `change(octets)`."""

    def lie(query):
        wire = bytearray(answer(query, FALSE).to_wire())
        return bytes(change(wire) or wire)

    return lie


def flip_id(wire):
    wire[0] ^= 0x55


def flip_case(wire):
    """0x20: the reply must have the letters as they were sent, so all of them the other way round is a lie."""
    for at in range(13, wire.index(0, 12)):
        if chr(wire[at]).isalpha():
            wire[at] ^= 0x20


def other_question(wire):
    wire[13] ^= 0x01


def other_type(wire):
    wire[wire.index(0, 12) + 2] = 28


def clear_qr(wire):
    wire[2] &= 0x7F


def no_question(wire):
    return wire[:4] + b"\0\0" + wire[6:12] + wire[wire.index(0, 12) + 5 :]


def error(rcode):
    def lie(query):
        reply = dns.message.make_response(query)
        reply.set_rcode(rcode)
        return reply.to_wire()

    return lie


def pointer_bomb(query):
    """A question that is right, and 1000 records whose owners are pointers into a chain of pointers."""
    head = bytearray(dns.message.make_response(query).to_wire()[: len(query.to_wire())])
    question_end = bytes(head).index(0, 12) + 5
    body = bytearray(head[:question_end])
    body[6:12] = (1000).to_bytes(2, "big") + bytes(4)
    for at in range(1000):
        body += (0xC000 | (question_end + 2 * at - 2 if at else 12)).to_bytes(2, "big")
    return bytes(body)


# What nobody but a forger sends: dropped, and the truth that comes after it is waited for (RFC 5452 section 9).
FORGERIES = {
    "id": changed(flip_id),
    "case": changed(flip_case),
    "question": changed(other_question),
    "type": changed(other_type),
    "query": changed(clear_qr),
    "noise": lambda query: bytes(range(64)),
    "short": lambda query: query.to_wire()[:7],
}
# What a broken server sends: the next one is asked.
FAILURES = FORGERIES | {
    "silence": None,
    "noquestion": changed(no_question),
    "servfail": error(dns.rcode.SERVFAIL),
    "refused": error(dns.rcode.REFUSED),
    "notimp": error(dns.rcode.NOTIMP),
    "cut": changed(lambda wire: wire[:-3]),
    "bomb": pointer_bomb,
    "oversize": lambda query: answer(query).to_wire() + bytes(9000),
}


def lie_of(query):
    return FAILURES[str(query.question[0].name).lower().split(".")[-3]]


def liar(query, over_tcp):
    lie = lie_of(query)
    return [lie(query)] if lie else []


def not_the_truth(server, names):
    """Asks for all names, several at a time; the replies that are not the truth."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = pool.map(lambda name: dig(server.port, name), names)
        return [reply.text for reply in replies if reply.data("A") != [TRUE]]


def test_forgeries_are_ignored(start, fake_upstream):
    """Names are www.<lie>.example."""
    upstream = fake_upstream(lambda query, over_tcp: liar(query, over_tcp) + truth(query, over_tcp))
    server = start.peregrine({".": [upstream.port]})
    assert not_the_truth(server, [f"www.{lie}.example." for lie in FORGERIES]) == []


def test_another_server_is_asked(start, fake_upstream):
    bad, good = fake_upstream(liar), fake_upstream(truth)
    server = start.peregrine({f"{lie}.example.": [bad.port, good.port] for lie in FAILURES})
    assert not_the_truth(server, [f"name{number}.{lie}.example." for lie in FAILURES for number in range(3)]) == []
    assert bad.queries, "no liar was ever asked, so nothing was tried"


@pytest.fixture
def deaf_port():
    """A port that takes datagrams and connections and never says a word."""
    port = processes.free_port()
    with socket.socket(type=socket.SOCK_DGRAM) as udp, socket.create_server((processes.LOOPBACK, port)):
        udp.bind((processes.LOOPBACK, port))
        yield port


def test_dead_server_falls_over(start, deaf_port):
    """One port is closed (the kernel says so), one is deaf."""
    good = start.nsd().port
    for dead in (processes.free_port(), deaf_port):
        server = start.peregrine({".": [dead, good]})
        assert dig(server.port, f"www.{zone.ORIGIN}").data("A") == ["192.0.2.1", "192.0.2.2"]


def test_all_dead(start, deaf_port):
    """RFC 8914: 22 is No Reachable Authority, 23 is Network Error."""
    for dead in ([processes.free_port()], [processes.free_port(), deaf_port]):
        server = start.peregrine({".": dead}, timeout="2s")
        reply = dig(server.port, f"www.{zone.ORIGIN}")
        assert reply.rcode == "SERVFAIL", reply.text
        assert reply.ede & {22, 23}, reply.text


def test_all_answer_servfail(start, fake_upstream):
    server = start.peregrine({".": [fake_upstream(liar).port, fake_upstream(liar).port]})
    reply = dig(server.port, "www.servfail.example.")
    assert reply.rcode == "SERVFAIL", reply.text
    assert reply.ede & {22, 23}, reply.text


def test_truncated_reply_is_fetched_over_tcp(start, fake_upstream):
    def over_tcp_only(query, over_tcp):
        if over_tcp:
            return truth(query, over_tcp)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.TC
        return [reply.to_wire()]

    upstream = fake_upstream(over_tcp_only)
    server = start.peregrine({".": [upstream.port]})
    assert dig(server.port, "www.example.").data("A") == [TRUE]
    assert upstream.asked_for("www.example.") == 2


def test_server_without_edns(start, fake_upstream):
    """RFC 6891 section 7: FORMERR without an OPT means to ask again without one."""

    def old_server(query, over_tcp):
        if query.edns < 0:
            return truth(query, over_tcp)
        query.use_edns(False)
        return [error(dns.rcode.FORMERR)(query)]

    server = start.peregrine({".": [fake_upstream(old_server).port]})
    assert dig(server.port, "www.example.").data("A") == [TRUE]


def test_identical_questions_are_asked_once(start, fake_upstream):
    """Clients that wait for the same answer share one resolution."""
    release = threading.Event()

    def held_back(query, over_tcp):
        release.wait(processes.START_SECONDS)
        return truth(query, over_tcp)

    upstream = fake_upstream(held_back)
    server = start.peregrine({".": [upstream.port]}, workers=1)
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.connect((processes.LOOPBACK, server.port))
        udp.settimeout(processes.START_SECONDS)
        queries = [dns.message.make_query("www.example.", "A", id=number) for number in range(20)]
        for query in queries:
            udp.send(query.to_wire())
        # Answered at once by the same worker, so the twenty before it have been taken in.
        udp.send(dns.message.make_query("localhost.", "A", id=20).to_wire())
        assert dns.message.from_wire(udp.recv(4096)).id == 20
        release.set()
        replies = [dns.message.from_wire(udp.recv(4096)) for _ in queries]
    assert {reply.id for reply in replies} == set(range(20))
    assert upstream.asked_for("www.example.") == 1


def test_without_rd_nothing_is_asked(start, fake_upstream):
    upstream = fake_upstream(truth)
    server = start.peregrine({".": [upstream.port]})
    assert dig(server.port, "www.example.", "A", "+norecurse").answer == []
    assert upstream.queries == []
    assert dig(server.port, "www.example.").data("A") == [TRUE]
    assert dig(server.port, "www.example.", "A", "+norecurse").data("A") == [TRUE]
    assert upstream.asked_for("www.example.") == 1


def test_longest_zone_wins(start, fake_upstream):
    upper = fake_upstream(lambda query, over_tcp: [answer(query, FALSE).to_wire()])
    lower = fake_upstream(truth)
    server = start.peregrine({"example.": [upper.port], "deep.example.": [lower.port]})
    assert dig(server.port, "www.deep.example.").data("A") == [TRUE]
    assert dig(server.port, "deep.example.").data("A") == [TRUE]
    assert dig(server.port, "www.notdeep.example.").data("A") == [FALSE]
