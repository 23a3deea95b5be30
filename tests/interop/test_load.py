"""The load generator against NSD, a server that is not ours, and beside dnsperf, a generator that is not ours."""

import json
import re
import subprocess

import pytest
import zone
from processes import LOOPBACK, run_peregrine


@pytest.fixture(scope="module")
def nsd(start_for_module):
    return start_for_module.nsd()


def load(port, names, *options):
    done = run_peregrine(
        "bench", "load", f"{LOOPBACK}:{port}", "--names", names, "--order", "once", "--seconds", 30, "--timeout", 10, "--json", *options
    )
    return done.returncode, json.loads(done.stdout)


def test_every_answer_of_another_server_is_right(nsd, tmp_path):
    names = tmp_path / "names"
    names.write_text(f"www.{zone.ORIGIN} A\nwww.{zone.ORIGIN} AAAA\ntext.{zone.ORIGIN} TXT\n{zone.ORIGIN} MX\n" * 100)
    code, figures = load(nsd.port, names)
    assert code == 0
    assert (figures["sent"], figures["answers"], figures["lost"]) == (400, 400, 0)
    assert figures["rcodes"] == {"NOERROR": 400}


def test_every_answer_over_tcp_is_right(nsd, tmp_path):
    names = tmp_path / "names"
    names.write_text(f"www.{zone.ORIGIN} A\nwww.{zone.ORIGIN} AAAA\ntext.{zone.ORIGIN} TXT\n{zone.ORIGIN} MX\n" * 100)
    code, figures = load(nsd.port, names, "--tcp", "--connections", 4)
    assert code == 0
    assert (figures["sent"], figures["answers"], figures["lost"]) == (400, 400, 0)
    assert figures["connections"] == {"opened": 4, "closed_by_server": 0}
    code, figures = load(nsd.port, names, "--tcp", "--connections", 2, "--queries-per-connection", 50)
    assert code == 0
    assert (figures["answers"], figures["lost"]) == (400, 0)
    assert figures["connections"]["opened"] >= 8


@pytest.mark.parametrize("transport", [[], ["--tcp"]])
def test_a_mix_comes_through_a_forwarder(start, transport):
    server = start.peregrine({".": [start.any_name().port]})
    done = run_peregrine(
        "bench", "load", f"{LOOPBACK}:{server.port}", "--generate", 1_000, "--order", "zipf", "--nxdomain", 0.3, "--once-share", 0.3,
        "--expect", "name", "--rate", 2_000, "--seconds", 1, "--timeout", 10, "--json", *transport,
    )
    figures = json.loads(done.stdout)
    assert done.returncode == 0
    assert (figures["sent"], figures["answers"], figures["lost"]) == (2_000, 2_000, 0)
    # Five standard deviations of a binomial distribution.
    assert figures["rcodes"]["NXDOMAIN"] == pytest.approx(600, abs=103)


def test_wrong_answers_are_seen(nsd, tmp_path):
    names = tmp_path / "names"
    names.write_text(f"www.{zone.ORIGIN} A\nabsent.{zone.ORIGIN} A\nwww.{zone.ORIGIN} MX\n")
    code, figures = load(nsd.port, names, "--expect", "192.0.2.9")
    assert code == 1
    assert figures["answers"] == 0
    assert {what: count for what, count in figures["wrong"].items() if count} == {"rcode": 1, "empty": 1, "rdata": 1}


def test_it_counts_what_dnsperf_counts(nsd, tmp_path):
    names = tmp_path / "names"
    names.write_text(f"www.{zone.ORIGIN} A\nabsent.{zone.ORIGIN} A\n" * 250)
    _, figures = load(nsd.port, names, "--expect", "question")
    other = subprocess.run(
        ["dnsperf", "-s", LOOPBACK, "-p", str(nsd.port), "-d", names, "-n", "1", "-e"], capture_output=True, text=True, check=True
    ).stdout
    assert figures["answers"] == int(re.search(r"Queries completed:\s+(\d+)", other)[1]) == 500
    codes = {code: int(count) for code, count in re.findall(r"(NOERROR|NXDOMAIN) (\d+)", other)}
    assert figures["rcodes"] == codes
    size = float(re.search(r"Average packet size:\s+request \d+, response (\d+)", other)[1])
    assert figures["reply_octets"] == pytest.approx(size, abs=1)
