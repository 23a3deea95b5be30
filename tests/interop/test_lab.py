"""`peregrine lab`: the command runs beside a resolver that answers from the lab, all ends with it, and NSD says of the
same zones what the lab's own servers say."""

import functools
import json
import os
import pathlib
import signal
import subprocess
import sys

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import processes
import pytest

sys.path.insert(0, str(processes.ROOT / "bench" / "macro"))

import lab_questions  # noqa: E402

QUESTIONS = 3_000
LAB_SECONDS = 120
COMPARE_SECONDS = 280  # with NSD
NSD_PORTS = 5300  # and above, in the lab's own network


@functools.cache
def namespaces():
    """Why there are none; empty where there are."""
    command = ["unshare", "--user", "--net", "--mount", "--map-root-user", "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr.strip() or "unshare fails"


needs_namespaces = pytest.mark.skipif(bool(namespaces()), reason=f"users may make no namespaces here: {namespaces()}")


def end(children):
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(processes.STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def lab(*arguments, seconds=LAB_SECONDS, **options):
    command = [str(processes.BINARY), "lab", *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, **options) as child:
        try:
            out, err = child.communicate(timeout=seconds)
        finally:
            end([child])  # not by SIGKILL: it is to end what it has started
    return subprocess.CompletedProcess(command, child.returncode, out, err)


@needs_namespaces
def test_dig_asks_the_resolver_of_the_lab():
    done = lab("--", "dig", "+noall", "+answer", "+comments", "chain8.cname.example", "AAAA")
    assert done.returncode == 0, done.stderr
    assert "status: NOERROR" in done.stdout
    assert done.stdout.rstrip().endswith("2001:db8::20")


@needs_namespaces
@pytest.mark.parametrize("name", [
    "www.plain.example", "www.outside.example", "www.glueless2.example", "www.v6only.example", "www.only.six",
    "www.a.b.c.deep.example", "www.moved.example", "www.lame.example", "www.worst.example", "x.any.wild.example",
    "www.old.dname.example", "www.away.dname.example", "www.liar.example", "www.noaa.example",
])
def test_shapes_resolve(name):
    done = lab("--made-up", 0, "--", "dig", "+short", name)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), name
    assert "203.0.113.66" not in done.stdout


@needs_namespaces
def test_nobody_believes_the_liar():
    names = "www.liar.example mail.liar.example www.plain.example ns1.example a.root"
    told = lab("--", "sh", "-c", f"for name in {names}; do dig +short $name; done").stdout
    assert len(told.split()) == 5
    assert "203.0.113.66" not in told


@needs_namespaces
def test_the_exit_code_is_the_commands_and_nothing_stays_behind(tmp_path):
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = lab("--", "sh", "-c", "ls $TMPDIR; exit 7", env=environment)
    assert done.returncode == 7
    assert done.stdout.startswith("peregrine-lab-")
    assert list(tmp_path.iterdir()) == []
    assert lab("--no-resolver", "--", "no-such-program").returncode == 127


@needs_namespaces
def test_sigterm_ends_the_command_and_the_lab(tmp_path):
    command = [str(processes.BINARY), "lab", "--no-resolver", "--", "sh", "-c", "echo up; exec sleep 60"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert child.stdout.readline() == "up\n"
        child.terminate()
        assert child.wait(processes.STOP_SECONDS) == 128 + signal.SIGTERM
    finally:
        end([child])
        child.stdout.close()
    assert list(tmp_path.iterdir()) == []


def test_what_the_command_leaves_behind_ends_too():
    leave = "for i in 1 2; do setsid sh -c 'sleep 600 & sleep 600; :' >/dev/null 2>&1 & echo $!; done"
    done = lab("--port", 0, "--no-resolver", "--", "sh", "-c", leave)
    left = [pid for pid in done.stdout.split() if pathlib.Path("/proc", pid).exists()]
    assert done.returncode == 0 and len(done.stdout.split()) == 2
    assert left == []


def test_an_interrupt_is_for_the_command_alone():
    ask = "dig -p ${LAB_RESOLVER#*:} @127.0.0.1 +short www.plain.example"
    script = f"trap 'echo interrupted' INT; kill -INT 0; sleep 0.2; {ask}"

    def take_interrupts():  # a run in the background of a script ignores them, and so would all that it starts
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    options = {"process_group": 0, "preexec_fn": take_interrupts}
    done = lab("--port", 0, "--made-up", 0, "--", "sh", "-c", script, **options)
    assert done.stdout.startswith("interrupted\n"), done.stderr
    assert len(done.stdout.split()) == 2, done.stderr


def test_it_learns_of_the_commands_end_where_sigchld_was_ignored():
    ignored = ["sh", "-c", "trap '' CHLD; exec \"$@\"", "sh", str(processes.BINARY)]
    for arguments in (["--port", "0", "--no-resolver"], ["--no-resolver"]):
        command = [*ignored, "lab", *arguments, "--", "sh", "-c", "exit 3"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LAB_SECONDS, check=False)
        assert done.returncode == 3, done.stderr


def test_without_a_resolver_it_says_where_the_servers_are():
    shell = os.environ | {"SHELL": "/bin/sh"}
    done = lab("--port", 0, "--made-up", 0, "--no-resolver", env=shell)
    port = done.stderr.split("port ")[1].split(",")[0]
    assert "resolver" not in done.stderr + done.stdout
    assert f"  dig -p {port} @127.18.0.1 . NS\n" in done.stdout


def test_without_namespaces_it_is_at_a_high_port():
    done = lab("--port", 0, "--made-up", 0, "--", "true")
    assert done.returncode == 0, done.stderr
    ports = [word.rstrip(",") for word in done.stderr.split() if word.rstrip(",").isdigit()]
    assert len(ports) == 2 and all(int(port) > 1023 for port in ports), done.stderr


def test_without_namespaces_its_resolver_is_told():
    ask = "dig -p ${LAB_RESOLVER#*:} @127.0.0.1 +short chain8.cname.example AAAA | tail -n 1"
    assert lab("--port", 0, "--made-up", 0, "--", "sh", "-c", ask).stdout == "2001:db8::20\n"


def test_without_namespaces_it_serves(tmp_path):
    script = ("import json, sys, dns.message, dns.query; plan = json.load(open(sys.argv[1])); "
              "query = dns.message.make_query('www.plain.example.', 'NS', use_edns=0); "
              "print(dns.query.udp(query, plan['roots'][0], 5, plan['port']).authority)")
    command = [sys.executable, "-c", script, tmp_path / "plan.json"]
    done = lab("--port", 0, "--made-up", 0, "--zones", tmp_path, "--", *command)
    assert "example. IN NS" in done.stdout, done.stderr


def test_the_same_seed_writes_the_same_files(tmp_path):
    texts = []
    for folder in ("one", "two"):
        own = tmp_path / folder
        assert lab("--port", 0, "--no-resolver", "--seed", 5, "--zones", own, "--", "true").returncode == 0
        texts.append({path.name: path.read_text() for path in own.iterdir() if path.name != "plan.json"})
    assert texts[0] == texts[1]
    assert "root.zone" in texts[0]


def test_list_tells_every_zone():
    done = lab("--list")
    assert done.returncode == 0
    assert "glueless2.example." in done.stdout and len(done.stdout.splitlines()) > 90


@pytest.mark.parametrize("arguments", [
    ["--loss", "101"], ["--delay", "-1"], ["--made-up", "x"], ["--port", "70000"], ["--nonsense"],
])
def test_wrong_usage(arguments):
    assert lab(*arguments, "--", "true").returncode == 2


def sets(section):
    """RRsets; their order and letter case do not matter."""
    return {(rrset.name, rrset.rdtype, rrset.ttl, frozenset(rdata.to_digestable() for rdata in rrset))
            for rrset in section}


def leaves(answer, apex):
    """Whether an alias of the zone leads out of it."""
    aliases = [rrset for rrset in answer if rrset.rdtype == dns.rdatatype.CNAME and rrset.name.is_subdomain(apex)]
    return any(not rrset[0].target.is_subdomain(apex) for rrset in aliases)


def told(server, port, name, rdtype, apex):
    """rcode, AA, answer and authority, as far as they are of the zone: NSD follows aliases into other zones that it
    has. Its NS records beside an answer are left out; ours has none (RFC 1034 does not ask for them)."""
    query = dns.message.make_query(name, rdtype, use_edns=0, payload=1232)
    reply, _ = dns.query.udp_with_fallback(query, server, timeout=10, port=port)
    answer, authority = sets(reply.answer), sets(reply.authority)
    aa = bool(reply.flags & dns.flags.AA)
    if leaves(reply.answer, apex):
        return "aliased", aa, {rrset for rrset in answer if rrset[0].is_subdomain(apex)}, set()
    if answer:
        authority = {rrset for rrset in authority if rrset[1] != dns.rdatatype.NS}
    return dns.rcode.to_text(reply.rcode()), aa, answer, authority


def faultless(plan, zone):
    """An address of a server of the zone that has no fault."""
    for number in zone["servers"]:
        server = plan["servers"][number]
        if not server["conduct"] and "." in server["addresses"][0]:
            return server["addresses"][0]
    return None


NSD = """
server:
  ip-address: 127.0.0.1@{port}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{folder}"
  pidfile: "{folder}/{port}.pid"
  xfrdfile: "{folder}/{port}.xfrd"
  xfrdir: "{folder}"
  zonelistfile: "{folder}/{port}.list"
  cookie-secret-file: "{folder}/{port}.cookies"
  logfile: "{folder}/{port}.log"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"""


def compare_with_nsd(folder):
    """Run in the lab. One NSD for the zones of each number of labels, so that none has a zone and its child."""
    plan = json.loads((folder / "plan.json").read_text())
    levels = {}
    for zone in plan["zones"]:
        levels.setdefault(len(dns.name.from_text(zone["apex"])), []).append(zone)
    children = []
    for level, zones in levels.items():
        config = folder / f"nsd{level}.conf"
        entries = "".join(f'zone:\n  name: "{zone["apex"]}"\n  zonefile: "{zone["file"]}"\n' for zone in zones)
        config.write_text(NSD.format(port=NSD_PORTS + level, folder=folder) + entries)
        children.append(subprocess.Popen(["/usr/sbin/nsd", "-d", "-c", str(config)], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    try:
        for level in levels:
            processes.poll(lambda port=NSD_PORTS + level: processes.answers(port, ".", "SOA"), "nsd answers")
        return compare_all(plan)
    finally:
        end(children)


def compare_all(plan):
    zones = {dns.name.from_text(zone["apex"]): zone for zone in plan["zones"]}
    asked = [zone for zone in plan["zones"] if faultless(plan, zone)]
    compared, different = 0, []
    for name, rdtype, apex in lab_questions.questions(plan, QUESTIONS, 1, asked):
        # Beside a child on the same server the child would answer; the DS of an apex is the parent's.
        owner = next(up for up in superdomains(name) if up in zones)
        if owner != apex or (rdtype == "DS" and name == apex):
            continue
        ours = told(faultless(plan, zones[apex]), plan["port"], name, rdtype, apex)
        its = told("127.0.0.1", NSD_PORTS + len(apex), name, rdtype, apex)
        compared += 1
        if ours != its:
            different.append(f"{name} {rdtype}\n  ours {ours}\n  nsd  {its}")
    print(f"{compared} compared, {len(different)} different")
    print("\n".join(different))
    return 1 if different or compared < QUESTIONS * 0.8 else 0


def superdomains(name):
    while True:
        yield name
        if name == dns.name.root:
            return
        name = name.parent()


@needs_namespaces
def test_nsd_says_the_same(tmp_path):
    compare = [sys.executable, pathlib.Path(__file__).resolve(), tmp_path]
    done = lab("--no-resolver", "--zones", tmp_path, "--", *compare, seconds=COMPARE_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr


if __name__ == "__main__":
    for ending in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(ending, lambda *_: sys.exit(1))
    sys.exit(compare_with_nsd(pathlib.Path(sys.argv[1])))
