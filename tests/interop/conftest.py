"""Fixtures: processes that a test starts, each stopped by its own id, with their logs in the report of a failure."""

import types

import processes
import pytest
import zone
import zone_tree


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        report.sections += [(f"log of {process.name}", process.log()) for process in processes.running]


def starter(tmp_path_factory):
    """A way to start servers, which stops them at the end and wants the exit code 0 of each Peregrine."""
    started = []

    def start(kind, *arguments, **options):
        process = kind(tmp_path_factory.mktemp(kind.__name__.lower()), *arguments, **options)
        started.append(process)
        return process.start()

    yield types.SimpleNamespace(
        nsd=lambda: start(processes.Nsd, {zone.ORIGIN: zone.text()}),
        tree=lambda: zone_tree.start(lambda zones, **options: start(processes.Nsd, zones, **options)),
        any_name=lambda: start(processes.AnyName),
        peregrine=lambda *arguments, **options: start(processes.Peregrine, *arguments, **options),
    )
    codes = [(process.name, process.stop()) for process in reversed(started) if process.child]
    assert [code for name, code in codes if name == "peregrine" and code != 0] == []


start = pytest.fixture(starter)
start_for_module = pytest.fixture(starter, scope="module")


@pytest.fixture
def fake_upstream():
    """Starts fake upstreams: fake_upstream(behave)."""
    started = []

    def start_fake(behave):
        started.append(processes.FakeUpstream(behave))
        return started[-1]

    yield start_fake
    for upstream in started:
        upstream.close()


@pytest.fixture(scope="module")
def server(start_for_module):
    """A Peregrine that forwards everything to an NSD, for tests that leave it as it was."""
    return start_for_module.peregrine({".": [start_for_module.nsd().port]})
