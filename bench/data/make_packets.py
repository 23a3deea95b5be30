#!/usr/bin/python3
"""Makes the packets that the benchmarks read: asks NSD on loopback, serving a zone made here.

Usage: make_packets.py [FOLDER]. Needs nsd, python3-dnspython and python3-cryptography. Ids are fixed; only the
signature, which ECDSA makes with a random number, is another one each time.
"""

import pathlib
import socket
import subprocess
import sys
import tempfile
import time

import dns.dnssec
import dns.message
import dns.query
import dns.rdatatype
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

INCEPTION, EXPIRATION = 1700000000, 2000000000
ZONE = """$ORIGIN example.
$TTL 3600
@ SOA ns1 hostmaster 2024010101 7200 3600 1209600 3600
@ NS ns1
@ NS ns2
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
ns2 A 192.0.2.2
ns2 AAAA 2001:db8::2
www 300 A 192.0.2.10
www 300 A 192.0.2.11
alias CNAME www
""" + "".join(f"""shop NS dns{i}.shop
dns{i}.shop A 192.0.2.{20 + i}
dns{i}.shop AAAA 2001:db8::{20 + i}
""" for i in range(1, 5)) + "big TXT " + " ".join(f'"{i:02}{"x" * 248}"' for i in range(16)) + "\n"

# Of each type that has a presentation form of its own.
TYPES_ZONE = r"""$ORIGIN types.example.
$TTL 3600
@ SOA ns1.example. hostmaster.example. 2024010101 7200 3600 1209600 3600
@ NS ns1.example.
@ A 192.0.2.30
@ AAAA 2001:db8::30
@ MX 10 mail
@ TXT "v=spf1 ip4:192.0.2.0/24 -all" "another string; with a \"quote\""
www CNAME types.example.
_sip._udp SRV 10 60 5060 sip
30 PTR host
@ NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.!" .
sub DNAME elsewhere.example.
_443._tcp TLSA 3 1 1 92003ba34942dc74152e2f2c408d29eca5a520e7f2e06bb944f4dca346baf63c
"""

# Name of the packet: the question, and whether DO is set.
ANSWERS = {
    "referral": ("www.shop.example.", "A", False),
    "signed_answer": ("www.example.", "A", True),
    "txt_4k": ("big.example.", "TXT", False),
    "alias": ("alias.example.", "A", False),
    "nxdomain": ("nowhere.example.", "A", False),
    "transfer": ("types.example.", "AXFR", False),
}


def signed(text):
    """The zone with its key and the signatures that the answers need."""
    zone = dns.zone.from_text(text, origin="example.", relativize=False)
    private = ec.generate_private_key(ec.SECP256R1())
    key = dns.dnssec.make_dnskey(private.public_key(), dns.dnssec.Algorithm.ECDSAP256SHA256)
    zone.replace_rdataset("example.", dns.rdataset.from_rdata(3600, key))
    # The key as well: NSD tells by its signature that the zone is signed.
    for name, kind in (("example.", "DNSKEY"), ("example.", "NS"), ("www.example.", "A"), ("ns1.example.", "A"),
                       ("ns1.example.", "AAAA"), ("ns2.example.", "A"), ("ns2.example.", "AAAA")):
        rrset = zone.get_rrset(name, kind)
        signature = dns.dnssec.sign(rrset, private, zone.origin, key, inception=INCEPTION, expiration=EXPIRATION)
        zone.find_rdataset(name, dns.rdatatype.RRSIG, rrset.rdtype, create=True).add(signature, rrset.ttl)
    return zone.to_text(relativize=False)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def serve(folder, port):
    (folder / "example.zone").write_text(signed(ZONE))
    (folder / "types.zone").write_text(TYPES_ZONE)
    (folder / "nsd.conf").write_text(f"""server:
  ip-address: 127.0.0.1@{port}
  username: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  minimal-responses: no
remote-control:
  control-enable: no
zone:
  name: example.
  zonefile: example.zone
zone:
  name: types.example.
  zonefile: types.zone
  provide-xfr: 127.0.0.1 NOKEY
""")
    return subprocess.Popen(["/usr/sbin/nsd", "-d", "-c", folder / "nsd.conf"])


def ask(port, question, tries=50):
    """The octets of the answer over TCP, so that none is cut off."""
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as stream, stream.makefile("rb") as replies:
                dns.query.send_tcp(stream, question)
                return replies.read(int.from_bytes(replies.read(2), "big"))
        except ConnectionRefusedError:
            tries -= 1
            if tries == 0:
                raise
            time.sleep(0.1)


def save(folder, name, wire):
    digits = wire.hex()
    lines = [digits[at:at + 96] for at in range(0, len(digits), 96)]
    (folder / f"{name}.hex").write_text("\n".join(lines) + "\n")
    print(f"{name}: {len(wire)} octets")


def main():
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent
    save(out, "query", dns.message.make_query("www.example.", "A", id=1).to_wire())
    edns = dns.message.make_query("www.example.", "A", id=2, use_edns=0, payload=1232, want_dnssec=True,
                                  options=[dns.edns.GenericOption(10, bytes(range(8)))])
    save(out, "edns_query", edns.to_wire())
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        server = serve(pathlib.Path(folder), port)
        try:
            for number, (name, (qname, qtype, dnssec)) in enumerate(ANSWERS.items(), 3):
                question = dns.message.make_query(qname, qtype, id=number, use_edns=0, payload=1232,
                                                  want_dnssec=dnssec)
                save(out, name, ask(port, question))
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
