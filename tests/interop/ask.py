"""Asking a server: with dig and kdig, whose output is parsed, and with octets of one's own."""

import dataclasses
import re
import socket
import subprocess

import dns.message
import dns.rdatatype

LOOPBACK = "127.0.0.1"
CLIENT_SECONDS = 12  # above the time that the server gives a resolution


@dataclasses.dataclass(frozen=True)
class Record:
    owner: str
    ttl: int
    rdtype: str
    data: str


@dataclasses.dataclass
class Reply:
    rcode: str
    flags: set
    question: str
    sections: dict
    ede: set
    transport: str
    size: int
    text: str

    @property
    def answer(self):
        return self.sections.get("ANSWER", [])

    @property
    def authority(self):
        return self.sections.get("AUTHORITY", [])

    def data(self, rdtype):
        """The RDATA of the answers of one type, sorted."""
        return sorted(record.data for record in self.answer if record.rdtype == rdtype)


def records(lines):
    for line in lines:
        owner, ttl, _, rdtype, data = line.split(None, 4)
        yield Record(owner, int(ttl), rdtype, data)


def parse(text):
    """The output of dig 9.18 or kdig 3.2; the last message in it, as a retry over TCP comes after what it repeats."""
    assert "status: " in text, f"no reply:\n{text}"
    sections = {}
    for title, body in re.findall(r"^;; (\w+) SECTION:\n((?:.+\n)*)", text, re.MULTILINE):
        sections[title] = list(records(body.splitlines())) if title in ("ANSWER", "AUTHORITY") else body
    last = {
        key: re.findall(pattern, text, re.MULTILINE)[-1]
        for key, pattern in {
            "rcode": r"status: (\w+)",
            "flags": r"^;; [Ff]lags: ([a-z ]*);",
            "transport": r"\((UDP|TCP)\)",
            "size": r"(?:MSG SIZE  rcvd|Received): (\d+)" if "MSG SIZE" in text else r"Received (\d+) B",
        }.items()
    }
    question = re.search(r"^;; QUESTION SECTION:\n;+ ?(\S+)", text, re.MULTILINE)
    return Reply(
        rcode=last["rcode"],
        flags=set(last["flags"].split()),
        question=question[1] if question else "",
        sections=sections,
        ede={int(code) for code in re.findall(r"EDE: (\d+)", text)},
        transport=last["transport"],
        size=int(last["size"]),
        text=text,
    )


def run(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    return parse(done.stdout + done.stderr)


def dig(port, name, rdtype="A", *options, source=None):
    """One question with dig; options as dig takes them, "+tcp" say."""
    bind = ["-b", source] if source else []
    return run(
        ["dig", f"@{LOOPBACK}", "-p", str(port), *bind, f"+time={CLIENT_SECONDS}", "+tries=1", "+nocookie",
         *options, name, rdtype]
    )  # fmt: skip


def kdig(port, name, rdtype="A", *options, source=None):
    """The same with kdig, which speaks EDNS only when told to, and lowers the name unless told not to."""
    bind = ["-b", source] if source else []
    return run(
        ["kdig", f"@{LOOPBACK}", "-p", str(port), *bind, f"+time={CLIENT_SECONDS}", "+retry=0", "+edns", "+noidn",
         *options, name, rdtype]
    )  # fmt: skip


def query_wire(name="localhost.", rdtype="A", **options):
    return dns.message.make_query(name, rdtype, **options).to_wire()


def exchange_udp(port, wire):
    """The first reply to one datagram."""
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.settimeout(CLIENT_SECONDS)
        udp.connect((LOOPBACK, port))
        udp.send(wire)
        return udp.recv(65535)


def is_ignored(port, wire):
    """Whether a datagram gets no reply.

    A good query follows from the same socket, so it reaches the same worker after it: only this one may be answered.
    """
    sentinel = query_wire()
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.settimeout(CLIENT_SECONDS)
        udp.connect((LOOPBACK, port))
        udp.send(wire)
        udp.send(sentinel)
        if udp.recv(65535)[:2] != sentinel[:2]:
            return False
        udp.settimeout(0.05)
        try:
            udp.recv(65535)
        except TimeoutError:
            return True
        return False


def receive_frame(stream):
    """One message of a TCP stream (a file), or None at its end."""
    prefix = stream.read(2)
    return stream.read(int.from_bytes(prefix, "big")) if len(prefix) == 2 else None


def framed(wire):
    return len(wire).to_bytes(2, "big") + wire


def exchange_tcp(port, wire):
    """The reply to one message over TCP; None when the server closes instead."""
    with socket.create_connection((LOOPBACK, port), timeout=CLIENT_SECONDS) as tcp, tcp.makefile("rb") as stream:
        tcp.sendall(framed(wire))
        return receive_frame(stream)


def exchange_tcp_many(port, wires):
    """Sends all at once over one connection; the ids of the replies."""
    with socket.create_connection((LOOPBACK, port), timeout=CLIENT_SECONDS) as tcp, tcp.makefile("rb") as stream:
        tcp.sendall(b"".join(map(framed, wires)))
        return {receive_frame(stream)[:2] for _ in wires}
