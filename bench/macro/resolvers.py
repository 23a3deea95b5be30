"""The resolvers that Debian has, each with one worker thread that forwards everything to one upstream over loopback.

None validates DNSSEC. The cache has the same octets or, where only entries can be limited, room for all names that are asked.
Each runs as the current user in a folder of its own and leaves nothing behind.
"""

import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import typing

import dns.exception
import dns.message
import dns.query
import dns.rcode

import stand
from stand import LOOPBACK

CACHE_MIB = 512
CACHE_ENTRIES = 2_000_000


def unbound(folder, port, upstream):
    return ["-d", "-c", written(folder / "unbound.conf", f"""
server:
  interface: {LOOPBACK}@{port}
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
  msg-cache-size: {CACHE_MIB // 2}m
  rrset-cache-size: {CACHE_MIB // 2}m
  do-not-query-localhost: no
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: {LOOPBACK}@{upstream}
""")]


def kresd(folder, port, upstream):
    # Not policy.STUB: what that brings is kept for five seconds, whatever its TTL.
    return ["-n", "-c", written(folder / "kresd.conf", f"""
net.listen('{LOOPBACK}', {port}, {{ kind = 'dns' }})
cache.size = {CACHE_MIB} * MB
trust_anchors.remove('.')
for _, name in ipairs({{ 'ta_update', 'ta_signal_query', 'ta_sentinel', 'priming', 'detect_time_skew', 'detect_time_jump' }}) do
  pcall(modules.unload, name)
end
policy.add(policy.all(policy.FORWARD('{LOOPBACK}@{upstream}')))
"""), folder]


def recursor(folder, port, upstream):
    written(folder / "recursor.conf", f"""
local-address={LOOPBACK}
local-port={port}
allow-from=127.0.0.0/8
socket-dir={folder}
daemon=no
disable-syslog=yes
quiet=yes
security-poll-suffix=
threads=1
pdns-distributes-queries=no
dnssec=off
max-cache-entries={CACHE_ENTRIES}
max-packetcache-entries={CACHE_ENTRIES}
forward-zones-recurse=.={LOOPBACK}:{upstream}
""")
    return [f"--config-dir={folder}"]


def dnsdist(folder, port, upstream):
    return ["--supervised", "--disable-syslog", "-C", written(folder / "dnsdist.conf", f"""
setLocal('{LOOPBACK}:{port}')
setACL('127.0.0.0/8')
setSecurityPollSuffix('')
newServer({{ address = '{LOOPBACK}:{upstream}' }})
getPool(''):setCache(newPacketCache({CACHE_ENTRIES}))
""")]


def named(folder, port, upstream):
    return ["-g", "-n", "1", "-c", written(folder / "named.conf", f"""
options {{
  directory "{folder}";
  pid-file none;
  session-keyfile none;
  listen-on port {port} {{ {LOOPBACK}; }};
  listen-on-v6 {{ none; }};
  allow-query {{ 127.0.0.0/8; }};
  recursion yes;
  forward only;
  forwarders {{ {LOOPBACK} port {upstream}; }};
  dnssec-validation no;
  max-cache-size {CACHE_MIB}m;
}};
controls {{ }};
""")]


@dataclasses.dataclass(frozen=True)
class Kind:
    """A server of another make: its program, how that says its version, and its arguments, given a folder and the two ports."""

    title: str
    program: str
    version: str
    arguments: typing.Callable[[pathlib.Path, int, int], list]


PEERS = {
    "unbound": Kind("Unbound", "unbound", "-V", unbound),
    "kresd": Kind("Knot Resolver", "kresd", "--version", kresd),
    "recursor": Kind("PowerDNS Recursor", "pdns_recursor", "--version", recursor),
    "dnsdist": Kind("dnsdist", "dnsdist", "--version", dnsdist),
    "named": Kind("BIND", "named", "-V", named),
}


def written(path, text):
    path.write_text(text.lstrip())
    return path


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((LOOPBACK, 0))
        return udp.getsockname()[1]


class Peer(stand.Process):
    """A server that is told its port, and is up when it gives an answer of the upstream's."""

    def __init__(self, *command, port):
        self.told = port
        super().__init__(*command, core=stand.SERVER_CORE)

    def wait_for_port(self):
        deadline = time.monotonic() + stand.START_SECONDS
        while time.monotonic() < deadline and self.child.poll() is None:
            with contextlib.suppress(dns.exception.DNSException, OSError):
                reply = dns.query.udp(dns.message.make_query("ready.bench.example.", "A"), LOOPBACK, 0.2, self.told)
                if reply.rcode() == dns.rcode.NOERROR and reply.answer:
                    return self.told
            time.sleep(0.02)
        raise stand.Failed(f"it does not answer:\n{self.output()}")


def installed(kind):
    """The path of the program; ordinary users have no sbin in theirs."""
    path = shutil.which(kind.program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin")
    if not path:
        raise stand.Failed("it is not installed (scripts/setup.sh peers)")
    return path


@contextlib.contextmanager
def peer(kind, upstream_port):
    program = installed(kind)
    with tempfile.TemporaryDirectory(prefix=f"peregrine-bench-{kind.program}-") as folder:
        port = free_port()
        with Peer(program, *kind.arguments(pathlib.Path(folder), port, upstream_port), port=port) as running:
            yield running


def version(*command):
    """The first thing in what a program says that looks like a version."""
    said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
    found = re.search(r"\d+\.\d+\.\d+\S*", said)
    return found[0] if found else "?"
