"""Builds commits in trees of their own below build/trees: no build sees another's files."""

import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TREES = ROOT / "build" / "trees"
SAVED = ROOT / "build" / "baselines"
TARGETS = ("exact", "micro", "peregrine")


class Unbuildable(Exception):
    """What to tell the user."""


def git(*arguments):
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unbuildable(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def as_it_is():
    """A commit of the checkout as it is now: HEAD, or where tracked files were edited one that nothing refers to."""
    return git("stash", "create") or git("rev-parse", "HEAD")


def commit_of(name):
    """`name` is a saved baseline or any revision."""
    saved = SAVED / name
    return saved.read_text().strip() if saved.is_file() else git("rev-parse", "--verify", f"{name}^{{commit}}")


def save(name):
    if not name or "/" in name or name.startswith("."):
        raise Unbuildable(f"'{name}' is no name for a baseline: letters, digits and dashes, please")
    commit = as_it_is()
    build(commit)
    SAVED.mkdir(parents=True, exist_ok=True)
    (SAVED / name).write_text(commit + "\n")
    return commit


def build(commit, patch=None):
    """The folder with the programs of `commit`, built where it has not been. `patch` is put on top."""
    tree = TREES / (commit[:12] + (f"-{patch.stem}" if patch else ""))
    source, programs, done = tree / "source", tree / "build", tree / "built"
    if done.exists():
        return programs
    shutil.rmtree(tree, ignore_errors=True)
    source.mkdir(parents=True)
    print(f"building {tree.name}", file=sys.stderr)
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", source], input=archive, check=True)
    if patch:
        subprocess.run(["patch", "--quiet", "-p1", "-d", source, "-i", patch], check=True)
    log = tree / "log"
    with open(log, "w", encoding="utf-8") as out:
        for command in (["cmake", "--preset", "bench", "-B", programs],
                        ["cmake", "--build", programs, "--target", *TARGETS]):
            if subprocess.run(command, cwd=source, stdout=out, stderr=out, check=False).returncode:
                raise Unbuildable(f"{commit[:12]} does not build: see {log}")
    done.touch()
    return programs
