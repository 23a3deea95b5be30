"""Asks a resolver many questions over UDP, some at a time, and over TCP what is truncated."""

import dataclasses
import selectors
import socket
import time

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

WINDOW = 64
SECONDS = 20


@dataclasses.dataclass(frozen=True)
class Answer:
    """What is compared: TTLs, order and letter case left out."""

    rcode: str
    rrsets: frozenset  # of (owner, type, frozenset of rdata)

    def __str__(self):
        rrsets = sorted(self.rrsets, key=str)
        records = [f"{owner} {rdtype} {' | '.join(sorted(data))}" for owner, rdtype, data in rrsets]
        return f"{self.rcode} " + ("; ".join(records) if records else "-")


SILENCE = Answer("no reply", frozenset())


def answer_of(message):
    rrsets = {}
    for rrset in message.answer:
        key = rrset.name.to_text().lower(), dns.rdatatype.to_text(rrset.rdtype)
        rrsets.setdefault(key, set()).update(rdata.to_text().lower() for rdata in rrset)
    sets = frozenset((*key, frozenset(data)) for key, data in rrsets.items())
    return Answer(dns.rcode.to_text(message.rcode()), sets)


def query_of(question, number, **options):
    query = dns.message.make_query(question[0], question[1], use_edns=0, payload=1232, **options)
    query.id = number
    return query


def over_tcp(server, port, query):
    try:
        return answer_of(dns.query.tcp(query, server, timeout=SECONDS, port=port))
    except (dns.exception.DNSException, OSError):
        return SILENCE


class Asker:
    def __init__(self, server, port=53):
        self.server, self.port = server, port

    def ask(self, questions, **options):
        """The Answer to each of `questions`: (name, type, ...)."""
        answers = [SILENCE] * len(questions)
        waiting = {}  # number of the question: (query, deadline)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, selectors.DefaultSelector() as selector:
            udp.connect((self.server, self.port))
            udp.setblocking(False)
            selector.register(udp, selectors.EVENT_READ)
            following = 0
            while waiting or following < len(questions):
                while following < len(questions) and len(waiting) < WINDOW:
                    query = query_of(questions[following], following & 0xFFFF, **options)
                    udp.send(query.to_wire())
                    waiting[following] = (query, time.monotonic() + SECONDS)
                    following += 1
                if selector.select(0.2):
                    self.take(udp, waiting, answers)
                now = time.monotonic()
                for number in [number for number, (_, deadline) in waiting.items() if deadline < now]:
                    del waiting[number]
        return answers

    def take(self, udp, waiting, answers):
        try:
            reply = dns.message.from_wire(udp.recv(65535), ignore_trailing=True, raise_on_truncation=False)
        except (BlockingIOError, ConnectionRefusedError):
            return
        for number, (query, _) in waiting.items():
            if query.id == reply.id and query.question == reply.question:
                truncated = reply.flags & dns.flags.TC
                answers[number] = over_tcp(self.server, self.port, query) if truncated else answer_of(reply)
                del waiting[number]
                return
