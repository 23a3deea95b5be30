"""The programs that a test runs: NSD as the upstream, Peregrine, and an upstream that misbehaves to order."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import socketserver
import subprocess
import threading
import time

import dns.exception
import dns.message
import dns.name
import dns.query

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("INTEROP_BINARY", ROOT / "build" / "release" / "peregrine"))
LOOPBACK = "127.0.0.1"
START_SECONDS = 20
STOP_SECONDS = 20

running = []  # for the report of a failed test


def poll(condition, what, seconds=START_SECONDS):
    """Waits until `condition()` is true and returns what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(0.02)


def free_port():
    """A port of the loopback address that is free for UDP and for TCP."""
    while True:
        with socket.socket(type=socket.SOCK_DGRAM) as udp, socket.socket(type=socket.SOCK_STREAM) as tcp:
            udp.bind((LOOPBACK, 0))
            with contextlib.suppress(OSError):
                tcp.bind(udp.getsockname())
                return udp.getsockname()[1]


def answers(port, name, rdtype, address=LOOPBACK):
    """Whether a server gives any reply to one query over UDP."""
    with contextlib.suppress(dns.exception.DNSException, OSError):
        dns.query.udp(dns.message.make_query(name, rdtype), address, timeout=0.3, port=port)
        return True
    return False


class Process:
    """A daemon in the foreground with a directory and a log of its own, which answers on `port`."""

    def __init__(self, name, directory, port, probe):
        self.name = name
        self.directory = directory
        self.port = port
        self.probe = probe
        self.log_path = directory / f"{name}.log"
        self.child = None

    def command(self):
        raise NotImplementedError

    def start(self):
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(
                self.command(), cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        running.append(self)
        poll(self.is_ready, f"{self.name} answers")
        return self

    def is_ready(self):
        assert self.child.poll() is None, f"{self.name} exited with {self.child.returncode}:\n{self.log()}"
        return answers(self.port, *self.probe)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def stop(self):
        """Ends the process and returns its exit code."""
        if self in running:
            running.remove(self)
            self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise


class Nsd(Process):
    """An authoritative server for `zones`: {origin: the file's text}."""

    def __init__(self, directory, zones, *, address=LOOPBACK, port=None):
        super().__init__("nsd", directory, port or free_port(), (next(iter(zones)), "SOA", address))
        entries = ""
        for number, (origin, text) in enumerate(zones.items()):
            (directory / f"zone{number}").write_text(text)
            entries += f'zone:\n  name: "{origin}"\n  zonefile: "zone{number}"\n'
        (directory / "nsd.conf").write_text(f"""
server:
  ip-address: {address}@{self.port}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{directory}"
  pidfile: "{directory}/nsd.pid"
  xfrdfile: "{directory}/xfrd.state"
  xfrdir: "{directory}"
  zonelistfile: "{directory}/zone.list"
  cookie-secret-file: "{directory}/cookies"
  logfile: "{self.log_path}"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
{entries}""")

    def command(self):
        return ["/usr/sbin/nsd", "-d", "-c", str(self.directory / "nsd.conf")]


class AnyName(Process):
    """An upstream that has an address for every name, quickly."""

    def __init__(self, directory):
        super().__init__("upstream", directory, free_port(), ("any.name.", "A"))

    def command(self):
        return [str(BINARY), "bench", "upstream", f"{LOOPBACK}:{self.port}"]


class Peregrine(Process):
    def __init__(
        self, directory, upstreams, *, allow=("127.0.0.0/8",), workers=2, timeout="5s", cache_file=None, more=""
    ):
        """`upstreams` maps a zone to the ports of its servers; `more` is what else the configuration says."""
        super().__init__("peregrine", directory, free_port(), ("localhost.", "A"))
        self.config_path = directory / "peregrine.toml"
        self.upstreams = upstreams
        self.workers = workers
        self.timeout = timeout
        self.cache_file = cache_file
        self.more = more
        self.configure(allow=allow)

    def configure(self, *, allow):
        lists = {zone: [f"{LOOPBACK}:{port}" for port in ports] for zone, ports in self.upstreams.items()}
        forward = "".join(f'[[forward]]\nzone = "{zone}"\nservers = {servers}\n' for zone, servers in lists.items())
        cache_file = f'file = "{self.cache_file}"\n[flags]\nlock_free_cache = true' if self.cache_file else ""
        self.config_path.write_text(f"""
[server]
listen = ["{LOOPBACK}:{self.port}"]
workers = {self.workers}
state_dir = "{self.directory}/state"
[cache]
size = "16 MiB"
{cache_file}
[access]
allow = {list(allow)}
[resolver]
timeout = "{self.timeout}"
{self.more}{forward}""")

    def command(self):
        return [str(BINARY), "serve", "--config", str(self.config_path)]

    def is_ready(self):
        if not super().is_ready():
            return False
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=1):
            return True
        return False

    def resident_octets(self):
        status = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)[1]) * 1024

    def kill(self):
        """Ends the process at once, as a crash would; start() starts it again."""
        running.remove(self)
        self.child.kill()
        self.child.wait()

    def ctl(self, *arguments):
        done = run_peregrine("ctl", "--state-dir", f"{self.directory}/state", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def reload(self):
        self.child.send_signal(signal.SIGHUP)


def run_peregrine(*arguments, wrapper=()):
    """Runs a subcommand that ends by itself."""
    return subprocess.run(
        [*wrapper, str(BINARY), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


class FakeUpstream:
    """An upstream on UDP and TCP that sends what `behave(query, over_tcp)` returns: a list of messages, each octets.

    `queries` are those that were received, in order.
    """

    def __init__(self, behave):
        self.behave = behave
        self.queries = []
        self.servers = self.listen()
        self.port = self.servers[0].server_address[1]
        self.threads = [threading.Thread(target=server.serve_forever, args=(0.02,)) for server in self.servers]
        for thread in self.threads:
            thread.start()

    def listen(self):
        upstream = self

        class Datagram(socketserver.BaseRequestHandler):
            def handle(self):
                for reply in upstream.replies(self.request[0], over_tcp=False):
                    self.request[1].sendto(reply, self.client_address)

        class Session(socketserver.StreamRequestHandler):
            def handle(self):
                while len(prefix := self.rfile.read(2)) == 2:
                    for reply in upstream.replies(self.rfile.read(int.from_bytes(prefix, "big")), over_tcp=True):
                        self.wfile.write(len(reply).to_bytes(2, "big") + reply)

        class DatagramServer(socketserver.ThreadingUDPServer):
            daemon_threads = True

        class SessionServer(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        while True:
            datagrams = DatagramServer((LOOPBACK, 0), Datagram)
            try:
                return datagrams, SessionServer(datagrams.server_address, Session)
            except OSError:
                datagrams.server_close()

    def replies(self, wire, over_tcp):
        query = dns.message.from_wire(wire)
        self.queries.append(query)
        return self.behave(query, over_tcp)

    def asked_for(self, name):
        """How many queries were for `name`, whatever its case."""
        wanted = dns.name.from_text(name)
        return sum(query.question[0].name == wanted for query in self.queries)

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()
        for thread in self.threads:
            thread.join()
