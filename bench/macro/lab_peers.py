#!/usr/bin/python3
"""Peregrine beside Unbound and Knot Resolver in `peregrine lab`: all resolve from the lab's root, without DNSSEC.

    differences  10,000 questions drawn from one seed, put to each: every rcode and RRset that is not the same, by
                 class, with the reason
    cold         names of many zones, each asked for once of a resolver that knows nothing yet, by turns: CPU time and
                 packets sent upstream for a name, and latency
    far          the same with servers 20 ms away that lose 1 % of the datagrams: latency

The exit code is 1 where a difference has no explanation. The figures of cold and far need two cores to themselves.
"""

import argparse
import collections
import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import dns.exception
import dns.message
import dns.query
import dns.rdataclass

import lab_explain
import lab_questions
import loads
import resolvers
import stand
from lab_asker import Asker
from resolvers import written
from stand import LOOPBACK

FIGURES = ("cold", "far")
PORT = 5353
COUNT_NAME = "queries.lab."
WINDOW = 64
KRESD_WITHOUT = ("ta_update", "ta_signal_query", "ta_sentinel", "priming", "detect_time_skew", "detect_time_jump")


def unbound(folder, plan):
    return ["/usr/sbin/unbound", "-d", "-c", written(folder / "unbound.conf", f"""
server:
  interface: {LOOPBACK}@{PORT}
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  num-threads: 1
  module-config: "iterator"
  so-rcvbuf: 4m
  so-sndbuf: 4m
  msg-cache-size: {resolvers.CACHE_MIB // 2}m
  rrset-cache-size: {resolvers.CACHE_MIB // 2}m
  do-not-query-localhost: no
  root-hints: "{plan / "root.hints"}"
remote-control:
  control-enable: no
""")]


def kresd(folder, plan):
    return ["/usr/sbin/kresd", "-n", "-c", written(folder / "kresd.conf", f"""
net.listen('{LOOPBACK}', {PORT}, {{ kind = 'dns' }})
cache.size = {resolvers.CACHE_MIB} * MB
modules.load('hints > iterate')
hints.root_file('{plan / "root.hints"}')
trust_anchors.remove('.')
for _, name in ipairs({{ {", ".join(map(repr, KRESD_WITHOUT))} }}) do
  pcall(modules.unload, name)
end
"""), folder]


class Peer(stand.Process):
    """A resolver of another make, up when it replies."""

    def wait_for_port(self):
        deadline = time.monotonic() + stand.START_SECONDS
        while time.monotonic() < deadline and self.child.poll() is None:
            with contextlib.suppress(dns.exception.DNSException, OSError):
                dns.query.udp(dns.message.make_query("localhost.", "A"), LOOPBACK, 0.2, PORT)
                return PORT
            time.sleep(0.02)
        raise stand.Failed(f"it does not answer:\n{self.output()}")


@contextlib.contextmanager
def peer(arguments, folder):
    with tempfile.TemporaryDirectory(prefix="peregrine-lab-peer-") as own:
        with Peer(*arguments(pathlib.Path(own), folder), core=stand.SERVER_CORE) as running:
            yield running


def ours(folder, settings):
    plan = json.loads((folder / "plan.json").read_text())
    roots = json.dumps(plan["roots"])
    own = ["recursion.enabled=true", "recursion.query_private=true", f"recursion.root_servers={roots}"]
    return stand.server(None, [*own, f"cache.size={resolvers.CACHE_MIB}MiB", *settings])


def start(name, args):
    if name == "peregrine":
        return ours(args.inside, args.set)
    return peer({"unbound": unbound, "kresd": kresd}[name], args.inside)


def upstream_messages(root):
    """How many messages the servers of the lab have been sent. They may lose this question, too."""
    query = dns.message.make_query(COUNT_NAME, "TXT", rdclass=dns.rdataclass.CH)
    for _ in range(10):
        with contextlib.suppress(dns.exception.Timeout):
            return int(dns.query.udp(query, root, timeout=1).answer[0][0].strings[0])
    raise stand.Failed("the lab's servers do not tell their count")


def differences(args):
    plan = json.loads((args.inside / "plan.json").read_text())
    asked = lab_questions.questions(plan, args.questions, args.seed)
    found = {}
    for name in args.resolvers:
        with start(name, args) as running:
            began = time.monotonic()
            found[name] = Asker(LOOPBACK, running.port).ask(asked)
            print(f"{name}: {len(asked):,} questions in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    unexplained = 0
    for other in args.resolvers[1:]:
        unexplained += report(plan, asked, found[args.resolvers[0]], found[other], other, args.show)
    return 1 if unexplained else 0


def report(plan, asked, own, its, other, show):
    """Prints the classes of differences; how many have no explanation."""
    classes = collections.defaultdict(list)
    for question, one, two in zip(asked, own, its):
        if one != two:
            classes[lab_explain.reason(plan, question, one, two)].append((question, one, two))
    same = len(asked) - sum(map(len, classes.values()))
    print(f"\nperegrine and {other}: {same:,} of {len(asked):,} the same")
    for why, members in sorted(classes.items(), key=lambda item: -len(item[1])):
        print(f"  {len(members):5} {why or 'NOT EXPLAINED'}")
        for (name, rdtype, _), one, two in members[: len(members) if not why else show]:
            print(f"        {name} {rdtype}\n          peregrine: {one}\n          {other}: {two}")
    return len(classes.get(None, ()))


def one_run(name, args, names, plan):
    with start(name, args) as running:
        before = upstream_messages(plan["roots"][0])
        told = running.load("--names", names, "--order", "once", "--seconds", 300, "--timeout", 20, "--window", WINDOW,
                            "--expect", "question", lossless=False)
        packets = upstream_messages(plan["roots"][0]) - before
    return loads.figures(told) | {"packets": packets / told["sent"]}


def figures(args):
    plan = json.loads((args.inside / "plan.json").read_text())
    names = args.inside / "names"
    zones = [zone for zone in plan["zones"] if zone["shape"].startswith("made up")]
    names.write_text("".join(f"www.{zone['apex']} A\n" for zone in zones))
    runs = {name: [] for name in args.resolvers}
    for number in range(1, args.rounds + 1):
        for name in args.resolvers:
            print(f"{args.what}: {name}, round {number} of {args.rounds}", file=sys.stderr, flush=True)
            runs[name].append(one_run(name, args, names, plan))
    print(f"{args.what}: {len(zones):,} names of as many zones, {WINDOW} under way, medians of {args.rounds}")
    print_table(args, runs)
    return 0


COLUMNS = (("CPU us a name", "cpu_ns", 1e3, "{:.1f}"), ("packets a name", "packets", 1, "{:.2f}"),
           ("p50 ms", "p50_us", 1e3, "{:.1f}"), ("p99 ms", "p99_us", 1e3, "{:.1f}"))


def print_table(args, runs):
    print(f"{'':10}" + "".join(f"{title:>24}" for title, *_ in COLUMNS) + "  lost")
    for name in args.resolvers:
        cells = [stand.spread([run[figure] / unit for run in runs[name]], form) for _, figure, unit, form in COLUMNS]
        print(f"{name:10}" + "".join(f"{cell:>24}" for cell in cells) + f"  {sum(run['lost'] for run in runs[name])}")
    own, *others = args.resolvers
    for other in others:
        pairs = list(zip(runs[own], runs[other]))
        ratios = []
        for title, figure, *_ in COLUMNS:
            ratio = statistics.median(one[figure] / two[figure] for one, two in pairs)
            ratios.append(f"{title} x {ratio:.2f}")
        print(f"{own} over {other}: {', '.join(ratios)}")


def run_inside(args, passed):
    """This program again, in a lab whose servers share the generator's core."""
    far = ["--delay", "20", "--loss", "1"] if args.what == "far" else []
    made_up = args.zones if args.what in FIGURES else 150
    with tempfile.TemporaryDirectory(prefix="peregrine-lab-peers-") as folder:
        lab = [stand.BINARY, "lab", "--no-resolver", "--seed", args.seed, "--made-up", made_up, "--zones", folder, *far]
        command = [sys.executable, pathlib.Path(__file__).resolve(), *passed, "--inside", folder]
        return subprocess.run(stand.pinned(stand.LOAD_CORE, *lab, "--", *command), check=False).returncode


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=("differences", *FIGURES))
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--questions", type=int, default=10_000)
    options.add_argument("--zones", type=int, default=3_000, help="of cold and far")
    options.add_argument("--rounds", type=int, default=5, help="of cold and far")
    options.add_argument("--resolvers", nargs="*", default=["peregrine", "unbound", "kresd"])
    options.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of Peregrine")
    options.add_argument("--show", type=int, default=2, help="examples of each difference that is explained")
    options.add_argument("--inside", type=pathlib.Path, help=argparse.SUPPRESS)
    args = options.parse_args()
    if not args.inside:
        sys.exit(run_inside(args, sys.argv[1:]))
    sys.exit(differences(args) if args.what == "differences" else figures(args))


if __name__ == "__main__":
    main()
