"""Nights under faults, one after another on one company: killed, starved of disk, started twice, fed a broken extract, and with
the clock set elsewhere. After each fault the last good release must be readable and whole, the ledger must verify, and the next
normal night must publish exactly the tables of an undisturbed run. Half of the faults come straight after another, before any
normal night could clean up. One exception ends the run with an error.

    python -m benchmarks.soak [--kills 200] [--disks 50] [--twins 50] [--extracts 50] [--clocks 20] [--minutes 60]

Every fault comes on its own share of the rounds, in an order drawn by ``--seed``. A night has work to do in every round: a
remark in a seed is another policy with the same figures, and every third time the warehouse is built from nothing. The disk
is a tmpfs, so the rounds of the disk need root.

All rounds take about half a day. Each is written to ``soak.jsonl`` beside this file when it has held, with the version of the
code, and a run does what is still missing there; the report counts them all. A round in which the fault did not come, for the
night was over before the kill, is not one of those that are wanted.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import duckdb

from orchestration.ledger.errors import LedgerError
from orchestration.ledger.store import has_ledger
from orchestration.ledger.verify import verify_ledger
from orchestration.night import code_version
from orchestration.nightwatch import read_heartbeat
from orchestration.publishing.candidate import discard_candidates
from orchestration.publishing.history import verified_release
from orchestration.publishing.release import PublishRefused, current_release
from orchestration.sample import SampleSpec, write_sample
from orchestration.settings import PROJECT_DIR, Company, load_company
from orchestration.sql_text import quoted

CHAIN = SampleSpec(scale=0.05, months=4, last_day=date(2026, 4, 30))
# What tells of the run and of deliveries, not of the data.
_OF_THE_RUN = {"meta.publication", "meta.check_results", "meta.landed_files", "meta.rejected_rows"}
_ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia")


class SoakError(Exception):
    """Something that must hold did not; the message says what, in which round."""


@dataclass(frozen=True)
class Round:
    """One fault after which all held; ``step`` is what a kill hit, ``after`` the fault that no normal night lay between."""

    fault: str
    outcome: str
    step: str
    nights: int
    seconds: float
    code: str
    after: str = ""


class Soak:
    """One company under faults, and the tables that it must always come back to."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.draw = random.Random(seed)
        self.nights = 0
        self.step = ""
        self.company = _new_company(folder / "company")
        write_sample(self.company.extracts_dir, CHAIN)
        self._normal_night("the first night")
        self._close_first_month()
        started = time.monotonic()
        self._normal_night("the night after the close")
        self.night_seconds = time.monotonic() - started
        self.golden = self._tables()

    def _close_first_month(self) -> None:
        """The ledger has a closed period from the start, so that every night has something that must not move."""
        for step, name in (("calculate", "Ann Lee"), ("approve", "Bob Ray"), ("close", "Cem Oz")):
            code = self.start(step, "2026-01", "--by", name).wait()
            if code != 0:
                raise SoakError(f"scorecard {step} ended with {code}")

    def start(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        """A night, or another command, in a process group of its own, so that a kill leaves no child behind."""
        self.nights += not command
        known = {name: value for name, value in os.environ.items() if not name.startswith("SCORECARD_")}
        return subprocess.Popen(
            [sys.executable, "-c", "from orchestration.cli import main; main()", *(command or ("nightly",))],
            env={**known, "PYTHONPATH": str(PROJECT_DIR), "SCORECARD_COMPANY": str(self.company.folder), **environment},
            cwd=PROJECT_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def _normal_night(self, what: str) -> None:
        code = self.start().wait()
        if code != 0:
            raise SoakError(f"{what}: a normal night ended with {code}; see {self.company.state_dir / 'logs'}")

    def _tables(self) -> dict[str, str]:
        found = {}
        for name in ("marts.duckdb", "incentives.duckdb"):
            with duckdb.connect(str(self.company.published_dir / "current" / name), read_only=True) as connection:
                for schema, table in connection.execute(
                    "select schema_name, table_name from duckdb_tables()"
                ).fetchall():
                    if f"{schema}.{table}" not in _OF_THE_RUN:
                        found[f"{name}:{schema}.{table}"] = connection.execute(
                            "select count(*) || ' ' || md5(coalesce(string_agg(line, chr(10) order by line), '')) "
                            f"from (select cast(t as varchar) as line from {quoted(schema)}.{quoted(table)} as t)"
                        ).fetchall()[0][0]
        return found

    def give_work(self) -> None:
        """Another policy with the same figures; now and then a warehouse that is built from nothing."""
        path = self.company.seeds_dir / "policy" / "gate_thresholds.csv"
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
        rows[1][-1] = f"Remark {self.draw.randrange(10**12)}"
        with path.open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle, lineterminator="\n").writerows(rows)
        if self.draw.random() < 1 / 3:
            self.company.warehouse_path.unlink(missing_ok=True)

    def check(self, fault: str) -> None:
        """Straight after the fault: readers have a whole release, of one night, with the tables they must have."""
        try:
            release = current_release(self.company)
            if release is None:
                raise SoakError(f"{fault}: readers have no release")
            verified_release(self.company, release.release_id)
            if has_ledger(self.company):
                verify_ledger(self.company)
        except (PublishRefused, LedgerError) as error:
            raise SoakError(f"{fault}: {error}") from error
        self._compare(fault)

    def _compare(self, what: str) -> None:
        tables = self._tables()
        if different := sorted(t for t in tables.keys() | self.golden.keys() if tables.get(t) != self.golden.get(t)):
            raise SoakError(f"{what}: {', '.join(different)} are not those of an undisturbed run")

    def series(self, faults: Sequence[str]) -> list[Round]:
        """One fault straight after another, with the checks after each; then a normal night, and the comparison."""
        rounds: list[Round] = []
        before = ""
        for fault in faults:
            nights, started = self.nights, time.monotonic()
            self.give_work()
            self.step = ""
            outcome = getattr(self, f"_{fault}")()
            self.check(f"{fault} ({outcome})")
            seconds = round(time.monotonic() - started, 1)
            rounds.append(Round(fault, outcome, self.step, self.nights - nights, seconds, code_version()[:12], before))
            before = fault
        started = time.monotonic()
        what = ", ".join(f"{one.fault} ({one.outcome})" for one in rounds)
        self._normal_night(f"after {what}")
        self.check(f"the night after {what}")
        last = rounds.pop()
        seconds = round(last.seconds + time.monotonic() - started, 1)
        return [*rounds, replace(last, nights=last.nights + 1, seconds=seconds)]

    def _kill(self) -> str:
        night = self.start()
        time.sleep(self.draw.uniform(0, self.night_seconds))
        was_running = night.poll() is None
        is_alone = self.draw.random() < 1 / 2
        if was_running:
            (os.kill if is_alone else os.killpg)(night.pid, signal.SIGKILL)
        night.wait()
        if not was_running:
            return "over before"
        beat = read_heartbeat(self.company)
        self.step = beat.step if beat and beat.process_id == night.pid else "before the first"
        return "killed, not what it had started" if is_alone else "killed"

    def _disk(self) -> str:
        with _small_disk(self.company, self.draw):
            night = self.start()
            code = night.wait()
        if code not in (0, 1):
            raise SoakError(f"a night on a full disk ended with {code}")
        beat = read_heartbeat(self.company)
        # Where there was no room for its end, it is seen to have died.
        if code == 1 and beat and (beat.process_id != night.pid or beat.state not in ("failed", "running")):
            raise SoakError(f"a night on a full disk failed, and its heartbeat says {beat.state}")
        return "published" if code == 0 else "failed"

    def _twins(self) -> str:
        nights = [self.start(), self.start()]
        codes = sorted(night.wait() for night in nights)
        # The second may come when the first is through, and then finds nothing new.
        if codes not in ([0, 75], [0, 0]):
            raise SoakError(f"two nights started at once ended with {codes}")
        return "one was told that it is busy" if codes == [0, 75] else "one after the other"

    def _extract(self) -> str:
        kind = self.draw.choice(["cut in a row", "quote left open", "NUL bytes", "not text", "columns missing"])
        source = self.draw.choice(sorted((self.company.extracts_dir / "sales" / "order_lines").glob("*.csv")))
        good = source.read_bytes()
        header, _, body = good.partition(b"\n")
        broken = {
            "cut in a row": good[: good.rindex(b"\n", 0, -1) + 4],
            "quote left open": header + b'\n"' + body,
            "NUL bytes": header + b"\n\0\0\0" + body,
            "not text": b"\xff\xfe\x00\xd8" + bytes(range(128, 256)) * 40,
            "columns missing": header.replace(b"order_id", b"nonsense") + b"\n" + body,
        }[kind]
        is_known = self._has_landed(source)
        self._deliver(source, broken)
        code = self.start().wait()
        self._deliver(source, good)
        # The file is set aside, and the night goes on with what it said before; without that it must not.
        if code != (0 if is_known else 1):
            raise SoakError(f"a night with an extract with {kind} ({source.name}) ended with {code}")
        return kind if is_known else f"{kind}, refused"

    def _has_landed(self, source: Path) -> bool:
        """Whether the warehouse knows the file from before; not where it was taken away since, or a kill came before it did."""
        name = source.relative_to(self.company.extracts_dir).as_posix()
        try:
            with duckdb.connect(str(self.company.warehouse_path), read_only=True) as connection:
                found = connection.execute(
                    "select count(*) from landing.files where status = 'landed' and file_name = ?", [name]
                ).fetchall()
        except (duckdb.IOException, duckdb.CatalogException):
            return False
        return bool(found[0][0])

    def _deliver(self, path: Path, content: bytes) -> None:
        temporary = path.with_name(f".{path.name}.part")
        temporary.write_bytes(content)
        os.replace(temporary, path)

    def _clock(self) -> str:
        """The clock jumps while the night runs; the zone of the machine is one with other summer times."""
        note = self.company.state_dir / "clock"
        note.write_text("+0\n", encoding="utf-8")
        zone = self.draw.choice(_ZONES)
        library = _faketime()
        # Only the clock on the wall jumps; with its correction of timed waits the library lets threads spin.
        night = self.start(
            TZ=zone, LD_PRELOAD=str(library), FAKETIME_TIMESTAMP_FILE=str(note), FAKETIME_CACHE_DURATION="1",
            DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_FORCE_MONOTONIC_FIX="0",
        )  # fmt: skip
        time.sleep(self.draw.uniform(0, self.night_seconds))
        jump = self.draw.choice(["-3600", "+3600", "-86400", "+86400", "+31536000", "-31536000"])
        note.write_text(f"{jump}\n", encoding="utf-8")
        code = night.wait()
        if code not in (0, 1):
            raise SoakError(f"a night in {zone} with a jump of {jump} s ended with {code}")
        return f"{'forward' if jump[0] == '+' else 'back'}, {'published' if code == 0 else 'failed'}"


def _new_company(folder: Path) -> Company:
    folder.mkdir(parents=True)
    shutil.copy(PROJECT_DIR / "company.yml", folder)
    shutil.copytree(PROJECT_DIR / "seeds", folder / "seeds")
    return load_company(folder)


def _faketime() -> Path | None:
    spec = find_spec("libfaketime")
    found = sorted(Path(spec.origin).parent.rglob("libfaketime.so.1")) if spec and spec.origin else []
    return found[0] if found else None


@contextmanager
def _small_disk(company: Company, draw: random.Random) -> Iterator[None]:
    """Warehouse and releases on a disk with room for some of a night; on leaving it there is room again."""
    parts = [company.state_dir, company.published_dir]
    # The night would clear it away, and find room there.
    discard_candidates(company)
    # A tmpfs gives every file and folder whole pages.
    page = os.sysconf("SC_PAGE_SIZE")
    used = sum(-(-path.lstat().st_size // page) * page + page for part in parts for path in part.rglob("*"))
    disk = company.data_dir / "disk"
    disk.mkdir()
    # Not enough for a release like the one in place, but for what a log or a book that is cleared away sets free.
    release = sum(path.stat().st_size for path in (company.published_dir / "current").resolve().rglob("*"))
    room = used + draw.randrange(200_000, release)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", str(disk)], check=True)
    try:
        for part in parts:
            shutil.copytree(part, disk / part.name, symlinks=True)
            part.rename(part.with_name(f"{part.name}.away"))
            part.symlink_to(disk / part.name)
        yield
    finally:
        for part in parts:
            part.unlink()
            shutil.rmtree(part.with_name(f"{part.name}.away"))
            shutil.copytree(disk / part.name, part, symlinks=True)
        subprocess.run(["umount", str(disk)], check=True)
        disk.rmdir()


def _report(rounds: Sequence[Round], wanted: Mapping[str, int], left_out: str, found: str) -> str:
    """The report; ``found`` is what somebody has written about it, which stays."""
    versions = len({one.code for one in rounds})
    lines = [
        "# Nights under faults",
        "",
        f"`python -m benchmarks.soak`, one or more times: {sum(map(_has_come, rounds))} faults where "
        f"{sum(wanted.values())} are wanted, and {sum(not _has_come(one) for one in rounds)} rounds in which the fault "
        f"did not come; {sum(one.nights for one in rounds)} nights in {sum(one.seconds for one in rounds) / 60:.0f} minutes, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, DuckDB {duckdb.__version__}, "
        f"{versions} version{'s' * (versions > 1)} of the code (`soak.jsonl`).",
        "",
        "In each of these rounds, after the fault: the release in place byte for byte as checked, all its tables those of an "
        "undisturbed run, the ledger with its closed period whole; after the next normal night the same. "
        f"{sum(bool(one.after) for one in rounds)} faults came straight after another.",
        "",
        "| fault | rounds | faults | of | outcomes |",
        "|---|---|---|---|---|",
    ]
    for fault, of in wanted.items():
        mine = Counter(one.outcome for one in rounds if one.fault == fault)
        outcomes = "; ".join(f"{n} {what}" for what, n in sorted(mine.items()))
        came = sum(_has_come(one) for one in rounds if one.fault == fault)
        lines.append(f"| {_FAULTS[fault]} | {mine.total()} | {came} | {of} | {outcomes} |")
    killed = ", ".join(f"{step} {n}" for step, n in Counter(one.step for one in rounds if one.step).most_common())
    lines += ["", f"Killed in the steps: {killed or 'none'}.", *([left_out] if left_out else [])]
    return "\n".join(lines) + "\n" + found


def _has_come(one: Round) -> bool:
    """Whether the night met the fault: it may be over before the kill, or the disk large enough."""
    return (one.fault, one.outcome) not in {("kill", "over before"), ("disk", "published")}


_FOUND = "\n## What was found\n"
_FAULTS = {
    "kill": "kill -9 at a random moment",
    "disk": "disk full",
    "twins": "two nights at once",
    "extract": "corrupt extract",
    "clock": "clock jumps while the night runs, in a zone with summer time",
}


def main() -> None:
    """Run the rounds that are missing, or as many as there is time for, and write the report after each."""
    parser = argparse.ArgumentParser()
    for name, count in (("kills", 200), ("disks", 50), ("twins", 50), ("extracts", 50), ("clocks", 20)):
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="No series of faults begins after that many."
    )
    parser.add_argument("--seed", type=int, default=time.time_ns(), help="Draws order and moments; default: the clock.")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--folder", type=Path, help="Where to work; default: a temporary folder.")
    arguments = parser.parse_args()
    left_out = ""
    wanted = {fault: getattr(arguments, fault if fault == "twins" else f"{fault}s") for fault in _FAULTS}
    book = arguments.out.with_suffix(".jsonl")
    lines = book.read_text(encoding="utf-8").splitlines() if book.is_file() else []
    text = arguments.out.read_text(encoding="utf-8") if arguments.out.is_file() else ""
    found = "".join(text.partition(_FOUND)[1:])
    done = [Round(**json.loads(line)) for line in lines]
    missing = Counter(wanted) - Counter(one.fault for one in done if _has_come(one))
    if missing["clock"] and _faketime() is None:
        left_out = (
            "libfaketime is not installed (benchmarks/soak.requirements.txt): the clock was left alone in the last run."
        )
        del missing["clock"]
    started = time.monotonic()
    # Left in place when something did not hold.
    folder = Path(tempfile.mkdtemp(dir=arguments.folder))
    soak = Soak(folder, arguments.seed)
    rounds = list(missing.elements())
    soak.draw.shuffle(rounds)
    number = 0
    while number < len(rounds) and time.monotonic() - started <= 60 * arguments.minutes:
        faults = rounds[number : number + soak.draw.choice([1, 1, 2, 4])]
        held = soak.series(faults)
        done += held
        with book.open("a", encoding="utf-8") as handle:
            handle.writelines(json.dumps(asdict(one)) + "\n" for one in held)
        arguments.out.write_text(_report(done, wanted, left_out, found), encoding="utf-8")
        for one in held:
            number += 1
            print(f"{number} of {len(rounds)}: {one.fault}, {one.outcome}, {one.seconds} s", flush=True)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
