"""Zones by hand: names of one's own, root hints, the root zone's file, and forwarders that may be gone without."""

import dns.rdtypes.ANY.ZONEMD
import dns.zone
import processes
import pytest
import zone_tree
import zone
from ask import dig
from processes import poll, run_peregrine

HOME = """
[[local]]
zone = "home.example"
records = [
  "nas 60 A 192.0.2.10",
  "nas AAAA 2001:db8::10",
  "*.dyn A 192.0.2.11",
  "files CNAME nas",
  "web CNAME {target}",
  "@ MX 10 nas",
]
[[local]]
zone = "2.0.192.in-addr.arpa"
records = ["10 PTR nas.home.example."]
"""
UPSTREAM = f"www.{zone.ORIGIN}"
BOTH = ["192.0.2.1", "192.0.2.2"]


def recursion(port, what):
    return f"[recursion]\nport = {port}\nquery_private = true\n{what}\n"


def digested(text, origin, algorithm):
    """A master file with the ZONEMD record that dnspython makes for it."""
    made = dns.zone.from_text(text, origin, relativize=False)
    digest = made.compute_digest(algorithm)
    rdata = dns.rdtypes.ANY.ZONEMD.ZONEMD("IN", "ZONEMD", digest.serial, digest.scheme, algorithm, digest.digest)
    return f"{text}@ 3600 ZONEMD {rdata.to_text()}\n"


@pytest.fixture
def home(start):
    nsd = start.nsd()
    server = start.peregrine({".": [nsd.port]}, more=HOME.format(target=UPSTREAM))
    server.nsd = nsd
    return server


def test_records_are_answered_with_authority(home):
    home.nsd.stop()
    reply = dig(home.port, "NAS.home.example")
    assert reply.data("A") == ["192.0.2.10"]
    assert reply.answer[0].ttl == 60
    assert {"aa", "ra"} <= reply.flags
    assert dig(home.port, "nas.home.example", "AAAA", "+tcp").data("AAAA") == ["2001:db8::10"]
    assert dig(home.port, "any.dyn.home.example").data("A") == ["192.0.2.11"]
    assert dig(home.port, "files.home.example").data("A") == ["192.0.2.10"]
    assert dig(home.port, "home.example", "MX").data("MX") == ["10 nas.home.example."]
    assert dig(home.port, "10.2.0.192.in-addr.arpa", "PTR").data("PTR") == ["nas.home.example."]


def test_what_does_not_exist_is_denied_with_an_soa(home):
    home.nsd.stop()
    absent = dig(home.port, "absent.home.example")
    assert absent.rcode == "NXDOMAIN"
    assert [record.rdtype for record in absent.authority] == ["SOA"]
    no_data = dig(home.port, "nas.home.example", "MX")
    assert (no_data.rcode, no_data.answer) == ("NOERROR", [])
    assert dig(home.port, "11.2.0.192.in-addr.arpa", "PTR").rcode == "NXDOMAIN"


def test_an_alias_that_leads_out_is_followed(home):
    reply = dig(home.port, "web.home.example")
    assert reply.data("CNAME") == [f"{UPSTREAM}"]
    assert reply.data("A") == BOTH
    assert [r.rdtype for r in dig(home.port, "web.home.example", "A", "+norecurse").answer] == ["CNAME"]


def test_a_zone_that_comes_takes_the_place_of_what_is_cached(start):
    server = start.peregrine({".": [start.nsd().port]})
    assert dig(server.port, UPSTREAM).data("A") == BOTH
    server.more = f'[[local]]\nzone = "{zone.ORIGIN}"\nrecords = ["www A 192.0.2.77"]\n'
    server.configure(allow=["127.0.0.0/8"])
    server.reload()
    poll(lambda: dig(server.port, UPSTREAM).data("A") == ["192.0.2.77"], "the new zone answers")
    server.more = server.more.replace("77", "78")
    server.configure(allow=["127.0.0.0/8"])
    server.reload()
    poll(lambda: dig(server.port, UPSTREAM).data("A") == ["192.0.2.78"], "its new records do")
    server.more = ""
    server.configure(allow=["127.0.0.0/8"])
    server.reload()
    poll(lambda: dig(server.port, UPSTREAM).data("A") == BOTH, "the name is the world's again")


def test_a_file_is_read_again_by_a_reload(start, tmp_path):
    file = tmp_path / "home.zone"
    text = "$TTL 300\n@ SOA ns host 1 7200 900 1209600 60\n@ NS ns\nns A 192.0.2.53\nwww A 192.0.2.{}\n"
    file.write_text(text.format(1))
    server = start.peregrine(
        {".": [processes.free_port()]}, more=f'[[local]]\nzone = "home.example"\nfile = "{file}"\n'
    )
    assert dig(server.port, "www.home.example").data("A") == ["192.0.2.1"]
    file.write_text(text.format(2))
    server.reload()
    poll(lambda: dig(server.port, "www.home.example").data("A") == ["192.0.2.2"], "the file's new text holds")
    file.write_text(text.format("three"))
    before = len(server.log())
    server.reload()
    poll(lambda: "home.zone:5" in server.log()[before:], "the mistake is logged with its place")
    assert dig(server.port, "www.home.example").data("A") == ["192.0.2.2"]


def test_check_says_where_a_zone_is_wrong(tmp_path):
    file, config = tmp_path / "db", tmp_path / "bad.toml"
    file.write_text("www A 192.0.2.1\n\nmail A nowhere\n")
    config.write_text(
        f'[[local]]\nzone = "a.example"\nfile = "{file}"\n'
        '[[local]]\nzone = "b.example"\nrecords = [\n  "www A 192.0.2.1",\n  "www A 192.0.2",\n]\n'
    )
    done = run_peregrine("check", "--config", config)
    assert done.returncode == 1
    assert f"{file}:3: " in done.stderr
    assert "bad.toml:8:3: " in done.stderr


@pytest.mark.parametrize("algorithm", [1, 2])
def test_a_digest_of_another_program_is_checked(tmp_path, algorithm):
    text = "@ 3600 SOA ns host 7 7200 900 1209600 60\n@ 3600 NS ns\nns 60 A 192.0.2.1\nA.b 60 MX 10 MAIL\n"
    file = tmp_path / "db"
    whole = digested(text, "home.example.", algorithm)
    check = ("check", "--set", f'local=[{{zone="home.example", file="{file}"}}]')
    file.write_text(whole)
    assert run_peregrine(*check).returncode == 0
    file.write_text(whole.replace("192.0.2.1", "192.0.2.2"))
    done = run_peregrine(*check)
    assert done.returncode == 1
    assert "ZONEMD does not match" in done.stderr


def test_root_hints_lead_to_the_root(start, tmp_path):
    port = start.tree()
    hints = tmp_path / "named.root"
    hints.write_text(f".  3600000  NS  NS.\nNS.  3600000  A  {zone_tree.ROOT}\n")
    server = start.peregrine({}, more=recursion(port, f'root_hints = "{hints}"'))
    assert dig(server.port, "www.site.top").data("A") == ["192.0.2.1"]


def test_the_root_zones_file_is_asked_instead_of_the_root(start, tmp_path):
    port = start.tree()
    file = tmp_path / "root.zone"
    file.write_text(digested(zone_tree.ZONES[zone_tree.ROOT]["."], ".", 1))
    server = start.peregrine(
        {}, more=recursion(port, f'root_servers = ["{zone_tree.SILENT}:{port}"]\nlocal_root = "{file}"')
    )
    assert dig(server.port, "www.site.top").data("A") == ["192.0.2.1"]
    assert dig(server.port, "no.such.name").rcode == "NXDOMAIN"
    assert dig(server.port, ".", "NS").data("NS") == ["ns."]


def test_where_forwarders_fail_recursion_goes_on(start):
    port = start.tree()
    dead = f"127.0.0.1:{processes.free_port()}"
    forward = f'[[forward]]\nzone = "site.top"\nservers = ["{dead}"]\nfirst = true\n'
    server = start.peregrine({}, more=zone_tree.settings(port) + forward)
    assert dig(server.port, "www.site.top").data("A") == ["192.0.2.1"]
    server.more = zone_tree.settings(port) + forward.replace("true", "false")
    server.configure(allow=["127.0.0.0/8"])
    server.reload()
    poll(lambda: dig(server.port, "alias.site.top").rcode == "SERVFAIL", "without it they are all that is asked")


def test_what_a_stub_replaces_is_not_served_from_before(start):
    port = start.tree()
    server = start.peregrine({}, timeout="1s", more=zone_tree.settings(port))
    assert dig(server.port, "www.other.top").data("A") == ["192.0.2.2"]
    server.more += f'[[stub]]\nzone = "other.top"\nservers = ["{zone_tree.SILENT}:{port}"]\n'
    server.configure(allow=["127.0.0.0/8"])
    server.reload()
    poll(lambda: dig(server.port, "www.other.top").rcode == "SERVFAIL", "only the stub's server is asked")
    server.more = zone_tree.settings(port)
    server.configure(allow=["127.0.0.0/8"])
    server.reload()
    poll(lambda: dig(server.port, "www.other.top").data("A") == ["192.0.2.2"], "the name is its parent's again")
