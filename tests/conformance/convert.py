#!/usr/bin/python3
"""From a scenario's model (JSON on standard input) to peregrine.toml in the working directory.

Exits 77 with a reason where the server cannot do what the scenario needs.
"""

import json
import pathlib
import sys

PORT = 5300
# What the names of Unbound's settings are here.
TTLS = {"cache-max-ttl": "max_ttl", "cache-min-ttl": "min_ttl", "cache-max-negative-ttl": "max_negative_ttl"}


def cannot(reason):
    print(reason)
    sys.exit(77)


def minimisation(model):
    if model["qname_minimisation"] is False:
        return "off"
    return "strict" if model["options"].get("qname-minimisation-strict") == "yes" else "relaxed"


def zones(key, given):
    for zone in given:
        if zone["hosts"]:
            cannot(f"{key}: servers by name")
        for option in ("stub_first", "stub_prime"):
            if zone.get(option) == "yes":
                cannot(f"{key}: {option}")
        first = "\nfirst = true" if zone.get("forward_first") == "yes" else ""
        yield f"\n[[{key}]]\nzone = {json.dumps(zone['name'])}\nservers = {json.dumps(zone['addrs'])}{first}"


def configuration(model):
    allowed = [entry[0] for entry in model["acl"] if len(entry) < 2 or entry[1].startswith("allow")]
    yield f"""[server]
listen = ["127.0.0.1:{PORT}"]
workers = 1
state_dir = {json.dumps(str(pathlib.Path.cwd()))}

[access]
allow = {json.dumps(allowed if model["acl"] else ["127.0.0.0/8", "::1"])}

[recursion]
enabled = true
qname_minimisation = "{minimisation(model)}"
root_servers = {json.dumps([address for _, address in model["root_hints"]])}
query_private = {json.dumps(bool(model["query_localhost"]))}
verify_glue = {json.dumps(model["unbound"].get("harden-unverified-glue") == ["yes"])}
"""
    yield "[cache]"
    for theirs, ours in TTLS.items():
        if theirs in model["options"]:
            yield f"{ours} = {int(model['options'][theirs])}"
    yield from zones("forward", model["forwards"])
    yield from zones("stub", model["stubs"])


def main():
    model = json.load(sys.stdin)
    pathlib.Path("peregrine.toml").write_text("\n".join(configuration(model)) + "\n")


if __name__ == "__main__":
    main()
