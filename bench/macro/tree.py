"""A tree of zones on loopback for cold recursion: the root, ten domains below it, and 300 zones below each of these. Each level has an NSD
of its own at an address of its own, so that a resolver has to walk down to every zone."""

import contextlib
import pathlib
import socket
import subprocess
import tempfile
import time

import dns.exception
import dns.message
import dns.query

import stand

ROOT_SERVER, TOP_SERVER, ZONE_SERVER = "127.0.0.11", "127.0.0.12", "127.0.0.13"
TOPS, ZONES = 10, 300
HEAD = "$TTL 86400\n@ SOA ns hostmaster 1 7200 900 1209600 300\n@ NS ns\nns A {}\n"
START_SECONDS = 20

CONFIGURATION = """
server:
  ip-address: {address}@{port}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{folder}"
  pidfile: "{folder}/{address}.pid"
  xfrdfile: "{folder}/{address}.xfrd"
  xfrdir: "{folder}"
  zonelistfile: "{folder}/{address}.list"
  cookie-secret-file: "{folder}/{address}.cookies"
  logfile: "{folder}/{address}.log"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"""


def delegations(name, count, server):
    return "".join(f"{name}{i} NS ns.{name}{i}\nns.{name}{i} A {server}\n" for i in range(count))


def zones():
    """{server: {apex: the file's text}}, names relative to the apex: zones of one level are all the same."""
    root = HEAD.format(ROOT_SERVER) + delegations("t", TOPS, TOP_SERVER)
    top = HEAD.format(TOP_SERVER) + delegations("z", ZONES, ZONE_SERVER)
    zone = HEAD.format(ZONE_SERVER) + "www A 192.0.2.1\n"
    return {
        ROOT_SERVER: {".": root},
        TOP_SERVER: {f"t{i}.": top for i in range(TOPS)},
        ZONE_SERVER: {f"z{n}.t{i}.": zone for i in range(TOPS) for n in range(ZONES)},
    }


def names():
    """A name in each of the lowest zones, those of one top-level domain not one behind the other."""
    return [f"www.z{n}.t{i}." for n in range(ZONES) for i in range(TOPS)]


def free_port():
    """For UDP and TCP at all three addresses; somebody else may take it before we do, who are the only ones there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((ROOT_SERVER, 0))
        return one.getsockname()[1]


def wait_for(server, port, apex, child):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            break
        with contextlib.suppress(dns.exception.Timeout, OSError):
            dns.query.udp(dns.message.make_query(apex, "SOA"), server, timeout=0.2, port=port)
            return
    raise stand.Failed(f"nsd does not answer at {server}:{port}")


@contextlib.contextmanager
def serving(folder, port, server, files):
    (folder / f"{server}.zone").write_text(next(iter(files.values())))
    entries = "".join(f'zone:\n  name: "{apex}"\n  zonefile: "{server}.zone"\n' for apex in files)
    config = folder / f"{server}.conf"
    config.write_text(CONFIGURATION.format(address=server, port=port, folder=folder) + entries)
    child = subprocess.Popen(stand.pinned(stand.LOAD_CORE, "/usr/sbin/nsd", "-d", "-c", config), stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(server, port, next(iter(files)), child)
        yield
    finally:
        child.terminate()
        child.wait(START_SECONDS)


@contextlib.contextmanager
def tree():
    """The settings of a server that is to resolve from this root, and a file of names() to ask for."""
    with tempfile.TemporaryDirectory(prefix="peregrine-tree-") as temporary, contextlib.ExitStack() as stack:
        folder, port = pathlib.Path(temporary), free_port()
        for server, files in zones().items():
            stack.enter_context(serving(folder, port, server, files))
        asked = folder / "names"
        asked.write_text("\n".join(names()) + "\n")
        yield ["recursion.enabled=true", f'recursion.root_servers=["{ROOT_SERVER}:{port}"]', f"recursion.port={port}",
               "recursion.query_private=true"], asked
