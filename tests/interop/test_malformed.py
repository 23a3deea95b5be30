"""What no well-behaved client sends: the rcode that the RFCs say, or silence, and a server that lives on."""

import random
import socket
import struct

import ask
import dns.message
import dns.rcode
import pytest
import zone

ID = b"\xbe\xef"
WWW = b"".join(bytes([len(label)]) + label.encode() for label in f"www.{zone.ORIGIN}".split("."))
A_IN = b"\0\1\0\1"
OPT = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)


def message(*sections, flags=0x0100, counts=(1, 0, 0, 0)):
    return ID + struct.pack("!5H", flags, *counts) + b"".join(sections)


def opt(*, owner=b"\0", version=0, size=1232, rdata=b"", rdlength=None):
    length = len(rdata) if rdlength is None else rdlength
    return owner + struct.pack("!HHBBHH", 41, size, 0, version, 0, length) + rdata


def opcode(number):
    return message(WWW, A_IN, flags=number << 11)


LONG_NAME = (b"\x3f" + b"a" * 63) * 4 + b"\0"  # 257 octets
FORMERR = {
    "question missing": message(),
    "question cut in the name": message(WWW[:7]),
    "question cut in the class": message(WWW, A_IN[:3]),
    "no question": message(counts=(0, 0, 0, 0)),
    "two questions": message(WWW, A_IN, WWW, A_IN, counts=(2, 0, 0, 0)),
    "two OPTs": message(WWW, A_IN, OPT, OPT, counts=(1, 0, 0, 2)),
    "OPT cut": message(WWW, A_IN, OPT[:5], counts=(1, 0, 0, 1)),
    "OPT with an owner": message(WWW, A_IN, opt(owner=b"\1a\0"), counts=(1, 0, 0, 1)),
    "OPT longer than the message": message(WWW, A_IN, opt(rdlength=9), counts=(1, 0, 0, 1)),
    "EDNS option longer than the OPT": message(WWW, A_IN, opt(rdata=b"\0\3\0\x09"), counts=(1, 0, 0, 1)),
    "answer promised, not there": message(WWW, A_IN, counts=(1, 1, 0, 0)),
    "65535 records promised": message(WWW, A_IN, counts=(1, 0, 0, 65535)),
    "name of 257 octets": message(LONG_NAME, A_IN),
    "label type 01": message(b"\x41\x00", A_IN),
    "label type 10": message(b"\x81\x00", A_IN),
    "pointer to itself": message(b"\xc0\x0c", A_IN),
    "pointer forward": message(b"\xc0\x20", A_IN),
    "pointer to the header": message(b"\xc0\x00", A_IN),
    "pointer loop after a label": message(b"\1a\xc0\x0c", A_IN),
}
SILENCE = {
    "a response": message(WWW, A_IN, flags=0x8180),
    "a response that is broken": message(b"\x41", flags=0x8180),
    "nothing": b"",
    "one octet": b"\0",
    "header cut": message()[:11],
}
OTHER = {
    "IQUERY": (opcode(1), {"NOTIMP"}),
    "STATUS": (opcode(2), {"NOTIMP"}),
    "opcode 3": (opcode(3), {"NOTIMP"}),
    "NOTIFY": (opcode(4), {"NOTIMP", "REFUSED"}),
    "UPDATE": (opcode(5), {"NOTIMP", "REFUSED"}),
    "DSO": (opcode(6), {"NOTIMP"}),
    "opcode 15": (opcode(15), {"NOTIMP"}),
    "EDNS version 1": (message(WWW, A_IN, opt(version=1), counts=(1, 0, 0, 1)), {"BADVERS"}),
    "EDNS version 255": (message(WWW, A_IN, opt(version=255), counts=(1, 0, 0, 1)), {"BADVERS"}),
    "version.bind": (message(b"\7version\4bind\0", b"\0\x10\0\3"), {"REFUSED"}),
    "class HS": (message(WWW, b"\0\1\0\4"), {"REFUSED", "NOTIMP"}),
    "class NONE": (message(WWW, b"\0\1\0\xfe"), {"REFUSED", "NOTIMP", "FORMERR"}),
    "AXFR": (message(WWW, b"\0\xfc\0\1"), {"REFUSED", "NOTIMP"}),
    "IXFR": (message(WWW, b"\0\xfb\0\1"), {"REFUSED", "NOTIMP", "FORMERR"}),
    "type OPT asked for": (message(WWW, b"\0\x29\0\1"), {"REFUSED", "NOTIMP", "FORMERR"}),
    "unknown type": (message(WWW, b"\xff\x78\0\1"), {"NOERROR"}),
    "unknown flag bits": (message(WWW, A_IN, flags=0x0140), {"NOERROR"}),
    "unknown EDNS option": (message(WWW, A_IN, opt(rdata=b"\xfd\xe9\0\2ab"), counts=(1, 0, 0, 1)), {"NOERROR"}),
    "EDNS size 0": (message(WWW, A_IN, opt(size=0), counts=(1, 0, 0, 1)), {"NOERROR"}),
    "octets after the message": (message(WWW, A_IN, b"more"), {"NOERROR", "FORMERR"}),
}
RCODES = {name: (wire, {"FORMERR"}) for name, wire in FORMERR.items()} | OTHER


def rcode_of(reply, wire):
    """The rcode, extended by the OPT, of a well-formed reply to `wire`."""
    assert reply[:2] == ID
    assert reply[2] & 0xF8 == 0x80 | wire[2] & 0x78, "QR is set, the opcode is the query's"
    as_query = reply[:2] + bytes([reply[2] & 0x87]) + reply[3:]  # dnspython reads no opcodes that it does not know
    return dns.rcode.to_text(dns.message.from_wire(as_query).rcode())


@pytest.fixture(autouse=True)
def still_serving(server):
    """After each of these the process lives and answers."""
    yield
    assert server.child.poll() is None
    assert ask.dig(server.port, f"www.{zone.ORIGIN}").data("A") == ["192.0.2.1", "192.0.2.2"]


@pytest.mark.parametrize("case", RCODES)
@pytest.mark.parametrize("exchange", [ask.exchange_udp, ask.exchange_tcp], ids=["udp", "tcp"])
def test_rcode(server, exchange, case):
    wire, rcodes = RCODES[case]
    assert rcode_of(exchange(server.port, wire), wire) in rcodes


def test_badvers_tells_our_version(server):
    parsed = dns.message.from_wire(ask.exchange_udp(server.port, OTHER["EDNS version 1"][0]))
    assert parsed.edns == 0
    assert parsed.answer == []


@pytest.mark.parametrize("case", SILENCE)
def test_silence(server, case):
    assert ask.is_ignored(server.port, SILENCE[case])


@pytest.mark.parametrize("case", [case for case, wire in SILENCE.items() if wire])
def test_silence_over_tcp(server, case):
    """The connection may be closed; a reply may not come."""
    sentinel = ask.query_wire()
    frames = ask.framed(SILENCE[case]) + ask.framed(sentinel)
    with socket.create_connection((ask.LOOPBACK, server.port), timeout=ask.CLIENT_SECONDS) as tcp:
        tcp.sendall(frames)
        with tcp.makefile("rb") as stream:
            try:
                reply = ask.receive_frame(stream)
            except ConnectionResetError:
                reply = None
    assert reply is None or reply[:2] == sentinel[:2]


def test_replies_are_no_amplifier(server):
    """An error repeats at most what was sent, and an OPT."""
    for wire, _ in RCODES.values():
        reply = ask.exchange_udp(server.port, wire)
        if rcode_of(reply, wire) != "NOERROR":
            assert len(reply) <= len(wire) + 64


def test_message_in_single_octets(server):
    wire = ask.query_wire(f"www.{zone.ORIGIN}")
    with socket.create_connection((ask.LOOPBACK, server.port), timeout=ask.CLIENT_SECONDS) as tcp:
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in ask.framed(wire):
            tcp.send(bytes([octet]))
        with tcp.makefile("rb") as stream:
            assert ask.receive_frame(stream)[:2] == wire[:2]


def test_connections_cut_in_a_message(server):
    frame = ask.framed(ask.query_wire(f"www.{zone.ORIGIN}"))
    for size in range(len(frame)):
        with socket.create_connection((ask.LOOPBACK, server.port), timeout=ask.CLIENT_SECONDS) as tcp:
            tcp.sendall(frame[:size])


def test_random_octets(server):
    """Noise, and a good query with some octets changed; what comes back, if anything, is a DNS message with QR set."""
    dice = random.Random(20240229)
    good = message(WWW, A_IN, opt(rdata=b"\0\x0a\0\x08abcdefgh"), counts=(1, 0, 0, 1))
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.connect((ask.LOOPBACK, server.port))
        udp.setblocking(False)
        for number in range(2000):
            wire = bytearray(good) if number % 2 else bytearray(dice.randbytes(dice.randrange(200)))
            for _ in range(dice.randrange(1, 4) if wire else 0):
                wire[dice.randrange(len(wire))] = dice.randrange(256)
            udp.send(wire)
            try:
                reply = udp.recv(65535)
            except BlockingIOError:
                continue
            assert len(reply) >= 12
            assert reply[2] & 0x80
