#!/usr/bin/python3
"""Where the instructions of a hit go: a flame graph's stacks, exact, with what the compiler inlined.

    flame.py              counts hit_plain.arena and keeps the stacks for `make report`
    flame.py --print      prints them, one a line, as flamegraph.pl and speedscope read them

callgrind counts each instruction's executions by its address and knows every call, and llvm-symbolizer which functions were
inlined at an address. A stack is the inlined functions of each call's site, outermost first, and at its end those of the
instruction. Each function is counted apart for each chain of callers. So the numbers are counts and not samples, and their sum
is what scripts/exact.py counts.
"""

import argparse
import collections
import dataclasses
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import kept

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import exact  # noqa: E402

BENCHMARK = "hit_plain.arena"
PROGRAM = ROOT / "build" / "bench" / "bench" / "report" / "flame_hit"
CALLERS = 40  # deeper chains than this are counted together
TOLERANCE = 1e-3  # of the sum


@dataclasses.dataclass
class Function:
    """As one chain of callers called it."""

    binary: str
    name: str
    own: dict = dataclasses.field(default_factory=collections.Counter)  # address -> cost
    calls: list = dataclasses.field(default_factory=list)  # (site's address, callee's key, cost with all below)

    def total(self):
        return sum(self.own.values()) + sum(cost for _, _, cost in self.calls)


class Names:
    """callgrind writes a name at its first use, '(3) name', and after that its number alone."""

    def __init__(self):
        self.known = {}

    def __call__(self, text):
        number, _, name = text.partition(" ")
        if name:
            self.known[number] = name
        return self.known.get(number, text)


def moved(position, last):
    """A column of a cost line: absolute, the same, or so much more or less than the last one."""
    if position == "*":
        return last
    return last + int(position, 0) if position[0] in "+-" else int(position, 0)


def parse(text):
    """{(binary, function): Function} of a profile with --dump-instr=yes, and the sum that it names itself. The format is in
    Valgrind's manual, "Callgrind Format Specification"."""
    binaries, names = Names(), Names()
    functions = {}
    binary = callee_binary = callee = current = None
    address, is_call = 0, False
    total = 0
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if line[:1] in ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "+", "-", "*") and current:
            where, _, *costs = line.split()
            address = moved(where, address)
            cost = int(costs[0]) if costs else 0
            if is_call:
                current.calls.append((address, callee, cost))
            else:
                current.own[address] += cost
            is_call = False
        elif key == "ob":
            binary = binaries(value)
        elif key == "cob":
            callee_binary = binaries(value)
        elif key == "fn":
            name = names(value)
            current = functions.setdefault((binary, name), Function(binary, name))
        elif key == "cfn":
            callee, callee_binary = (callee_binary or binary, names(value)), None
        elif key == "calls":
            is_call = True
        elif line.startswith("summary:"):
            total = int(line.split()[1])
    return functions, total


def folded(functions, frames_at):
    """{stack: cost}. `frames_at(function, address)` gives the frames there, outermost first. Where a function has more than one
    caller, its cost is shared out by what callgrind says of each call. Recursion ends at the second of a kind."""
    called = {callee for function in functions.values() for _, callee, _ in function.calls}
    stacks = collections.Counter()

    def walk(key, above, path, share):
        function = functions[key]
        for address, cost in function.own.items():
            stacks[above + frames_at(function, address)] += cost * share
        for site, callee, cost in function.calls:
            here = above + frames_at(function, site)
            whole = functions[callee].total() if callee in functions else 0
            if callee in path or not whole:
                stacks[here] += cost * share
            else:
                walk(callee, here, path | {callee}, share * cost / whole)

    for key in functions:
        if key not in called:
            walk(key, (), {key}, 1.0)
    return stacks


def without_brackets(name, opening, closing):
    """Leaves out what stands between brackets, and the brackets."""
    depth, left = 0, []
    for letter in name:
        depth += letter == opening
        if depth == 0:
            left.append(letter)
        depth -= letter == closing and depth > 0
    return "".join(left)


def short(name):
    """'void peregrine::Worker<A, B>::serve(unsigned long) const' is Worker::serve."""
    name = re.sub(r"'\d+$", "", name).replace("(anonymous namespace)::", "")
    operator = re.search(r"\boperator\s*(\(\)|<=>|->\*?|<<=?|>>=?|<=?|>=?)", name)
    if operator:
        name = name[:operator.start()] + "operator\0" + name[operator.end():]
    name = without_brackets(without_brackets(name, "<", ">"), "(", ")")
    name = re.sub(r"\b(?:peregrine|exact|std)::", "", name).removesuffix(" const").strip()
    name = name.replace("operator ", "operator\1").split(" ")[-1].replace("\1", " ")
    name = name.replace("\0", operator[1] if operator else "")
    return name.replace(";", ",") or "?"


def source(file):
    """The file below src/ or bench/; what is not ours by what it is."""
    if "/include/c++/" in file:
        return "std"
    if "/lib/clang/" in file:
        return "intrinsics"
    found = re.search(r".*/(?:src/|(?=bench/))(.+)", file)
    return found[1] if found else "?"


def inline_frames(symbols):
    """The frames of llvm-symbolizer's answer for one address, outermost first. Of functions of the standard library within one
    another the outermost."""
    frames = []
    for symbol in reversed(symbols):
        frame = short(symbol["FunctionName"]), source(symbol["FileName"])
        if not frames or not frame[1] == frames[-1][1] == "std":
            frames.append(frame)
    return tuple(f"{name} [{file}]" for name, file in frames)


def symbolized(program, addresses):
    """{address: frames}."""
    asked = "".join(f"{address:#x}\n" for address in addresses)
    told = subprocess.run(
        ["llvm-symbolizer-19", "--inlines", "--demangle", "--output-style=JSON", f"--obj={program}"],
        input=asked, capture_output=True, text=True, check=True,
    ).stdout
    return {int(found["Address"], 0): inline_frames(found["Symbol"]) for found in map(json.loads, told.splitlines())}


def one_file_each(stacks):
    """An optimised instruction may belong to a function and to a line of another one's file: siblings of one name are one
    function, in the file where most of its cost is."""
    children = collections.defaultdict(list)
    for way, cost in stacks.items():
        name, bracket, file = way[0].partition(" [") if way else ("", "", "")
        children[name].append((way, bracket + file, cost))
    merged = collections.Counter()
    for name, ways in children.items():
        files = collections.Counter()
        below = collections.Counter()
        for way, file, cost in ways:
            files[file] += cost
            below[way[1:]] += cost
        if name:
            for way, cost in one_file_each(below).items():
                merged[name + files.most_common(1)[0][0], *way] += cost
        else:
            merged[()] += below[()]
    return merged


def from_benchmark(stacks, name):
    """What all stacks begin with, up to the benchmark's own function, says nothing."""
    ways = list(stacks)
    common = 0
    while all(len(way) > common + 1 for way in ways) and len({way[common] for way in ways}) == 1:
        common += 1
    shorter = collections.Counter()
    for way, cost in stacks.items():
        shorter[name, *way[common:]] += cost
    return shorter


def profile(program, name, kernels):
    """callgrind's text, and the operations that it is of."""
    with tempfile.TemporaryDirectory() as temporary:
        # valgrind 3.19 cannot read clang's debug information.
        stripped, out = pathlib.Path(temporary) / program.name, pathlib.Path(temporary) / "callgrind.out"
        subprocess.run(["llvm-objcopy-19", "--strip-debug", program, stripped], check=True)
        done = subprocess.run(
            ["setarch", "-R", "env", "-i", "/usr/bin/valgrind", "--tool=callgrind", "--collect-atstart=no", "--dump-instr=yes",
             f"--separate-callers={CALLERS}", f"--callgrind-out-file={out}", f"./{stripped.name}", name, kernels],
            cwd=temporary, capture_output=True, text=True, check=False,
        )
        operations = re.search(r"^operations (\d+)$", done.stdout, re.MULTILINE)
        if done.returncode or not operations:
            raise RuntimeError(f"{name} with {kernels} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
        return out.read_text(), int(operations[1])


def measure(program=PROGRAM, name=BENCHMARK):
    """The section `flame`."""
    kernels = "avx2" if "avx2" in pathlib.Path("/proc/cpuinfo").read_text() else "scalar"
    text, operations = profile(program, name, kernels)
    functions, total = parse(text)
    ours = {function.binary for function in functions.values() if pathlib.Path(function.binary).name == program.name}
    addresses = {at for function in functions.values() if function.binary in ours
                 for at in (*function.own, *(site for site, _, _ in function.calls))}
    symbols = symbolized(program, sorted(addresses))

    def frames_at(function, address):
        if function.binary in ours:
            return symbols[address]
        library = pathlib.Path(function.binary).name.split(".")[0]
        return (f"{short(function.name.partition(chr(39))[0])} [{library}]",)

    stacks = from_benchmark(one_file_each(folded(functions, frames_at)), name)
    found = sum(stacks.values())
    if abs(found - total) > total * TOLERANCE:
        raise RuntimeError(f"the stacks have {found:,.0f} instructions, callgrind counted {total:,}")
    rows = [[";".join(stack), round(cost / operations, 4)] for stack, cost in sorted(stacks.items()) if cost]
    return {"name": name, "kernels": kernels, "counted": total / operations, "stacks": rows}


def build():
    for command in (["cmake", "--preset", "bench"], ["cmake", "--build", "--preset", "bench", "--target", PROGRAM.name]):
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)


def keep(program=None):
    """Measures and keeps it."""
    if not program:
        build()
    version = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    kept.keep_section("flame", f"counted by callgrind ({version}), so the same on any machine", measure(program or PROGRAM))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--print", action="store_true")
    options.add_argument("--program", type=pathlib.Path, help="take the program that is there, build nothing")
    args = options.parse_args()
    if not args.print:
        keep(args.program)
        return
    if not args.program:
        build()
    for stack, cost in measure(args.program or PROGRAM)["stacks"]:
        print(f"{stack} {cost}")


if __name__ == "__main__":
    main()
