"""The life of the process: cache, reload, mistakes in the configuration, ports, load, end."""

import os
import pathlib
import re
import socket
import subprocess

import processes
import pytest
import zone
from ask import dig
from processes import LOOPBACK, poll, run_peregrine

NAME = f"www.{zone.ORIGIN}"
BOTH = ["192.0.2.1", "192.0.2.2"]


def test_second_answer_comes_from_the_cache(start):
    nsd = start.nsd()
    server = start.peregrine({".": [nsd.port]}, timeout="2s")
    first = dig(server.port, NAME)
    denied = dig(server.port, f"absent.{zone.ORIGIN}")
    nsd.stop()
    for transport in ("+notcp", "+tcp"):
        assert dig(server.port, NAME.upper(), "A", transport).data("A") == first.data("A") == BOTH
        assert dig(server.port, f"absent.{zone.ORIGIN}", "A", transport).rcode == denied.rcode == "NXDOMAIN"
    assert dig(server.port, f"mail.{zone.ORIGIN}").rcode == "SERVFAIL"


def test_reload_applies_and_keeps_the_cache(start):
    nsd = start.nsd()
    server = start.peregrine({".": [nsd.port]}, allow=["127.0.0.1"])
    assert dig(server.port, NAME).data("A") == BOTH
    assert dig(server.port, NAME, source="127.0.0.2").rcode == "REFUSED"
    nsd.stop()
    server.configure(allow=["127.0.0.0/8"])
    server.reload()
    poll(lambda: dig(server.port, NAME, source="127.0.0.2").data("A") == BOTH, "the new access list holds")


def test_reload_with_a_mistake_keeps_the_old(start):
    server = start.peregrine({".": [start.nsd().port]}, allow=["127.0.0.1"])
    before = len(server.log())
    server.configure(allow=["127.0.0.0/8", "not an address"])
    server.reload()
    poll(lambda: server.config_path.name in server.log()[before:], "the mistake is logged with its place")
    assert dig(server.port, NAME, source="127.0.0.2").rcode == "REFUSED"
    assert dig(server.port, NAME).data("A") == BOTH


def test_reload_under_load_answers_everything(start, tmp_path):
    server = start.peregrine({".": [start.nsd().port]})
    with dnsperf(server.port, tmp_path, seconds=2) as load:
        while load.poll() is None:
            server.reload()
            assert dig(server.port, NAME).data("A") == BOTH
        assert lost(load) == 0


def test_check_accepts(tmp_path):
    config = tmp_path / "good.toml"
    config.write_text('[server]\nlisten = ["127.0.0.1:5300"]\n')
    done = run_peregrine("check", "--config", config)
    assert done.returncode == 0, done.stderr


def test_check_reports_every_mistake_with_its_place(tmp_path):
    config = tmp_path / "bad.toml"
    config.write_text('[server]\nworker = 2\nlisten = ["nowhere"]\n[access]\nallow = ["10.0.0.0/33"]\n')
    done = run_peregrine("check", "--config", config)
    assert done.returncode == 1
    output = done.stdout + done.stderr
    assert set(re.findall(r"bad\.toml:(\d+)", output)) == {"2", "3", "5"}, output
    assert "server.workers" in output


def check_and_serve(config):
    return [run_peregrine(command, "--config", config) for command in ("check", "serve")]


@pytest.mark.parametrize("text", ["[server\n", "listen = 1\n", '[server]\nworkers = "many"\n'])
def test_serve_does_not_start_on_a_mistake(tmp_path, text):
    config = tmp_path / "bad.toml"
    config.write_text(text)
    for done in check_and_serve(config):
        assert done.returncode == 1
        assert "bad.toml:" in done.stdout + done.stderr


def test_unreadable_file_is_one_line(tmp_path):
    for config in (tmp_path / "absent.toml", tmp_path):
        for done in check_and_serve(config):
            assert done.returncode == 1
            assert done.stdout == ""
            assert len(done.stderr.splitlines()) == 1, done.stderr
            assert str(config) in done.stderr


def listening(address, port, directory):
    """Options of `serve`."""
    return ["--set", f'server.listen="{address}:{port}"', "--set", f'server.state_dir="{directory}/state"']


def cannot_listen(address, port, directory, *, wrapper=()):
    """The one line that `serve` ends with when it cannot have a port."""
    done = run_peregrine("serve", *listening(address, port, directory), wrapper=wrapper)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert f"{address}:{port}" in done.stderr
    return done.stderr


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
def test_port_in_use_is_one_line(tmp_path, kind):
    port = processes.free_port()
    with socket.socket(type=kind) as other:
        other.bind((LOOPBACK, port))
        if kind == socket.SOCK_STREAM:
            other.listen()
        assert "in use" in cannot_listen(LOOPBACK, port, tmp_path)


def test_port_53_in_use_names_the_usual_holder(tmp_path):
    """Whoever may not bind the port sees the other message about it."""
    address = "127.0.0.53"
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        try:
            other.bind((address, 53))
        except PermissionError:
            assert "permission denied" in cannot_listen(address, 53, tmp_path)
            return
        assert "systemd-resolved" in cannot_listen(address, 53, tmp_path)


def test_no_permission_for_a_port_is_one_line(tmp_path):
    port = int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) - 1
    if port <= 0:
        pytest.skip("this kernel lets everybody have every port")
    wrapper = ["setpriv", "--bounding-set=-net_bind_service"] if os.geteuid() == 0 else []
    assert "permission denied" in cannot_listen(LOOPBACK, port, tmp_path, wrapper=wrapper)


def test_serve_without_a_file(tmp_path):
    """Everything built in, but for the port, which may be taken here."""
    port = processes.free_port()
    command = [str(processes.BINARY), "serve", *listening(LOOPBACK, port, tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        try:
            poll(lambda: processes.answers(port, "localhost.", "A"), "it answers")
        finally:
            child.terminate()
        output, _ = child.communicate(timeout=processes.STOP_SECONDS)
    assert child.returncode == 0
    assert f"{LOOPBACK}:{port}" in output


def test_unknown_subcommand_and_option():
    for arguments in (["nonsense"], ["serve", "--nonsense"], []):
        done = run_peregrine(*arguments)
        assert done.returncode != 0
        assert done.stdout + done.stderr


def dnsperf(port, directory, seconds):
    questions = directory / "questions"
    names = [*zone.LOAD_NAMES, NAME, f"absent.{zone.ORIGIN}"]
    questions.write_text("".join(f"{name} A\n" for name in names))
    return subprocess.Popen(
        ["dnsperf", "-s", LOOPBACK, "-p", str(port), "-d", str(questions), "-l", str(seconds)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def lost(load):
    """How many queries of a finished dnsperf got no reply; every reply must be one that the zone warrants."""
    output, _ = load.communicate(timeout=60)
    counts = {key: int(count) for key, count in re.findall(r"Queries (\w+): +(\d+)", output)}
    assert counts["completed"] > 0, output
    codes = re.search(r"Response codes: (.*)", output)[1]
    assert set(re.findall(r"[A-Z]+", codes)) == {"NOERROR", "NXDOMAIN"}, output
    return counts["lost"]


def test_dnsperf_loses_nothing(start, tmp_path):
    server = start.peregrine({".": [start.nsd().port]})
    with dnsperf(server.port, tmp_path, seconds=10) as load:
        assert lost(load) == 0
