"""A root, a top-level domain and zones below it, each on an NSD at an address of its own, all on one port of the loopback network."""

import contextlib
import socket

ROOT, TOP, ZONE = "127.0.0.11", "127.0.0.12", "127.0.0.13"
SILENT = "127.0.0.14"  # where nobody listens
HEAD = "$TTL 3600\n@ SOA ns hostmaster 1 7200 900 1209600 300\n@ NS ns\nns A {}\n"

ZONES = {
    ROOT: {".": HEAD.format(ROOT) + f"top NS ns.top\nns.top A {TOP}\n"},
    TOP: {
        "top.": HEAD.format(TOP)
        + f"site NS ns.site\nns.site A {ZONE}\nother NS ns.site\nlost NS ns.lost\nns.lost A {SILENT}\n"
    },
    ZONE: {
        "site.top.": HEAD.format(ZONE) + "www A 192.0.2.1\nalias CNAME www.other.top.\n",
        "other.top.": "$TTL 3600\n@ SOA ns.site.top. hostmaster 1 7200 900 1209600 300\n@ NS ns.site.top.\n"
        "www A 192.0.2.2\n",
    },
}


def free_port():
    """For UDP and TCP at all of the addresses."""
    while True:
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            port = 0
            for address in ZONES:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    bound = stack.enter_context(socket.socket(type=kind))
                    bound.bind((address, port))
                    port = bound.getsockname()[1]
            return port


def settings(port, query_private=True):
    """Those of a Peregrine that resolves from this root."""
    return f"""
[recursion]
enabled = true
root_servers = ["{ROOT}:{port}"]
port = {port}
query_private = {str(query_private).lower()}
"""


def start(start_nsd):
    """Starts the servers by `start_nsd(zones, address, port)`; the port."""
    port = free_port()
    for address, zones in ZONES.items():
        start_nsd(zones, address=address, port=port)
    return port

