"""The zone that the upstream serves, and the names in it that the tests ask for."""

ORIGIN = "interop.example.net."
BIG = sorted(f'"{number:02}{"x" * 150}"' for number in range(20))  # some 3300 octets: no datagram of ours holds it
LOAD_NAMES = [f"load{number}.{ORIGIN}" for number in range(200)]

_TEXT = """\
$ORIGIN {origin}
$TTL 3600
@            SOA    ns hostmaster 1 3600 900 604800 300
@            NS     ns
@            MX     10 mail
@            MX     20 backup
ns           A      192.0.2.53
mail         A      192.0.2.25
www          A      192.0.2.1
www          A      192.0.2.2
www          AAAA   2001:db8::1
text         TXT    "one" "two words"
_sip._udp    SRV    10 20 5060 sip
alias        CNAME  www
second       CNAME  alias
unknown      TYPE65400 \\# 3 010203
"""


def text():
    lines = [_TEXT.format(origin=ORIGIN)]
    lines += [f"big TXT {string}\n" for string in BIG]
    lines += [f"{name} A 192.0.2.100\n" for name in LOAD_NAMES]
    return "".join(lines)
