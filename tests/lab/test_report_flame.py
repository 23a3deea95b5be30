"""Stacks from a profile of callgrind: the sum is what was counted, wherever a function was called from."""

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "report"))

import flame  # noqa: E402

# main (0x10) calls work (0x20) at 0x12 and 0x14; work calls copy of the C library at 0x24. Names, files and positions are
# shortened as callgrind does it.
PROFILE = """\
# callgrind format
version: 1
positions: instr line
events: Ir
summary: 100

ob=(1) /opt/bin/program
fl=(1) main.cc
fn=(1) main
0x10 1 2
+2 +1 3
cfn=(2) peregrine::work(int)
calls=2 0x20 9
* * 60
fi=(2) other.h
+2 * 5
cfn=(2)
calls=1 0x20 9
* * 30
fe=(1)

fn=(2)
0x20 9 40
-0x0 * 5
+4 +1 5
cob=(2) /lib/libc.so.6
cfi=(3) ???
cfn=(3) copy'main
calls=9 0x1000 0
* * 40

ob=(2)
fl=(3)
fn=(3)
0x1000 0 30
+3 0 10
"""


def by_name(function, address):
    return (f"{function.name}@{address:#x}",)


def test_costs_are_kept_by_address():
    functions, total = flame.parse(PROFILE)
    assert total == 100
    main = functions["/opt/bin/program", "main"]
    assert main.own == {0x10: 2, 0x12: 3, 0x14: 5}
    work = "/opt/bin/program", "peregrine::work(int)"
    assert main.calls == [(0x12, work, 60), (0x14, work, 30)]
    assert functions[work].own == {0x20: 45, 0x24: 5}
    assert functions["/lib/libc.so.6", "copy'main"].own == {0x1000: 30, 0x1003: 10}


def test_a_callee_is_below_its_site_and_its_cost_is_shared_by_its_callers():
    functions, total = flame.parse(PROFILE)
    stacks = flame.folded(functions, by_name)
    assert sum(stacks.values()) == pytest.approx(total)
    assert stacks["main@0x12",] == 3
    assert stacks["main@0x12", "peregrine::work(int)@0x24", "copy'main@0x1000"] == pytest.approx(20)
    assert stacks["main@0x14", "peregrine::work(int)@0x24", "copy'main@0x1000"] == pytest.approx(10)
    assert stacks["main@0x14", "peregrine::work(int)@0x20"] == pytest.approx(15)


def test_recursion_ends_and_loses_nothing():
    functions, total = flame.parse("summary: 30\nob=(1) p\nfn=(1) main\n0x1 0 10\ncfn=(2) again\ncalls=1 0x2 0\n0x1 0 20\n\n"
                                   "fn=(2)\n0x2 0 15\ncfn=(2)\ncalls=3 0x2 0\n0x2 0 5\n")
    assert sum(flame.folded(functions, by_name).values()) == pytest.approx(total)


def test_a_call_of_what_has_no_cost_stays_at_its_site():
    functions, _ = flame.parse("ob=(1) p\nfn=(1) main\n0x1 0 10\ncfn=(2) nothing\ncalls=1 0x2 0\n0x1 0 7\n")
    assert flame.folded(functions, by_name) == {("main@0x1",): 17}


def test_what_all_stacks_begin_with_becomes_the_benchmark():
    stacks = {("main", "run", "hit", "find"): 3, ("main", "run", "hit", "render", "copy"): 4, ("main", "run", "hit"): 1}
    assert flame.from_benchmark(stacks, "hit_plain") == {
        ("hit_plain", "hit", "find"): 3, ("hit_plain", "hit", "render", "copy"): 4, ("hit_plain", "hit"): 1,
    }


def test_siblings_of_one_name_are_one_function_in_its_costliest_file():
    stacks = {("f [a.h]", "g [b.h]"): 3, ("f [c.h]", "g [d.h]"): 1, ("f [a.h]",): 2, ("h [a.h]",): 5}
    assert flame.one_file_each(stacks) == {("f [a.h]", "g [b.h]"): 4, ("f [a.h]",): 2, ("h [a.h]",): 5}


def test_library_functions_within_one_another_are_their_outermost():
    def symbol(name, file):
        return {"FunctionName": name, "FileName": file}

    std = "/usr/include/c++/12/bits/stl_deque.h"
    assert flame.inline_frames([
        symbol("_M_pop", std), symbol("pop_front", std),
        symbol("peregrine::MemoryEngine::receive()", "/home/me/src/io/memory.cc"),
    ]) == ("MemoryEngine::receive [io/memory.cc]", "pop_front [std]")


@pytest.mark.parametrize(("long", "short"), [
    ("peregrine::Worker<peregrine::MemoryEngine, peregrine::ArenaStore>::serve(unsigned long)", "Worker::serve"),
    ("void peregrine::exact::(anonymous namespace)::hit<(peregrine::exact::Opt)0>(peregrine::exact::Meter&)", "hit"),
    ("write_tail<(lambda at ../src/cache/answer.h:190:26)>", "write_tail"),
    ("operator()", "operator()"),
    ("operator==", "operator=="),
    ("operator<=>", "operator<=>"),
    ("peregrine::Slot::operator bool() const", "Slot::operator bool"),
    ("std::vector<int>::operator[](unsigned long) const", "vector::operator[]"),
    ("find_at", "find_at"),
    ("copy'2", "copy"),
    ("", "?"),
])
def test_names_are_short(long, short):
    assert flame.short(long) == short


@pytest.mark.parametrize(("file", "told"), [
    ("/tmp/../home/me/peregrine/src/cache/arena_store.h", "cache/arena_store.h"),
    ("/usr/src/peregrine/src/wire/dname.h", "wire/dname.h"),
    ("/home/me/bench/exact/hit.cc", "bench/exact/hit.cc"),
    ("/usr/lib/gcc/x86_64-linux-gnu/12/../../../../include/c++/12/bits/stl_deque.h", "std"),
    ("/usr/lib/llvm-19/lib/clang/19/include/avx2intrin.h", "intrinsics"),
    ("", "?"),
])
def test_a_file_is_told_below_its_folder(file, told):
    assert flame.source(file) == told
