#!/usr/bin/python3
"""Checks that every #include in src/ follows the arrows between the rooms.

Usage: check_arrows.py [SRC]. Prints each include that breaks an arrow and exits 1 if there is one.
"""

import pathlib
import re
import sys

# What a room may include directly; through those, what they may include.
ARROWS = {
    "base": "",
    "simd": "base",
    "wire": "base simd",
    "crypto": "base wire",
    "io": "base",
    "config": "base wire",
    "cache": "base simd wire",
    "zone": "wire simd crypto io",
    "dnssec": "wire crypto cache",
    "resolve": "cache dnssec zone io",
    "policy": "wire simd",
    "server": "config base simd wire crypto io cache zone dnssec resolve policy",
    "admin": "server",
    "rollout": "server admin",
    "lab": "wire zone io",
    "load": "wire io",
    "cli": "server admin rollout lab load",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def reach(room):
    """The rooms that `room` may include, itself among them."""
    seen = {room}
    waiting = [room]
    while waiting:
        for below in ARROWS[waiting.pop()].split():
            if below not in seen:
                seen.add(below)
                waiting.append(below)
    return seen


def faults(src):
    allowed = {room: reach(room) for room in ARROWS}
    for path in sorted(src.rglob("*")):
        if path.suffix not in (".h", ".cc", ".inc"):
            continue
        room = path.relative_to(src).parts[0]
        if room not in ARROWS:
            yield f"{path}: no such room: {room}"
            continue
        text = path.read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start(1)) + 1
            target, slash, _ = match[1].partition("/")
            if not slash or target not in ARROWS:
                yield f'{path}:{line}: "{match[1]}" is not "room/file.h"'
            elif target not in allowed[room]:
                yield f'{path}:{line}: "{match[1]}": {room} may not include {target}'


def main():
    src = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent / "src"
    if not src.is_dir():
        sys.exit(f"{src}: no such folder")
    found = list(faults(src))
    print("\n".join(found) if found else f"{src}: every include follows the arrows")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
