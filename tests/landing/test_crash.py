"""Landing killed at any moment, or without space: the next run ends where one without accidents would have."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestration.landing import LandingError, land
from orchestration.settings import PROJECT_DIR
from tests.landing.conftest import Shop

LAND = """
import json, sys
from pathlib import Path
from orchestration.landing import LandingError, land
from orchestration.settings import ENVIRONMENTS, Company
folder = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
try:
    land(Company(folder, folder, "Test", ENVIRONMENTS["dev"], "Asia/Shanghai", "CNY"))
except LandingError as error:
    sys.exit(f"LandingError: {error}")
"""


def deliver(shop: Shop, files: int, rows: int) -> None:
    """Events with bad rows, a correction's copy and full lists, in several batches' worth of extracts."""
    for number in range(files):
        lines = [
            f"R{number}-{line},O1,{line},2026-10-01 10:00:00,1,{'x' if line % 50 == 7 else 2.5},"
            for line in range(rows)
        ]
        shop.returns(f"returns_{number:03d}_2026-10-01.csv", *lines, mtime=1_790_000_000 + number)
        products = [f"P{line},Name {number},Category,1" for line in range(rows)]
        text = "\n".join(["product_id,product_name,category,unit_cost", *products]) + "\n"
        shop.deliver(f"sales/products/products_{number:03d}_2026-10-01.csv", text, mtime=1_790_000_000 + number)
        order = [f"O{number},{line},2026-10-01 10:00:00,S1,P1,1,2.5,CNY" for line in range(rows)]
        text = (
            "\n".join(["order_id,line_no,ordered_at,store_id,product_id,quantity,unit_price,currency_code", *order])
            + "\n"
        )
        shop.deliver(f"sales/order_lines/lines_{number:03d}_2026-10-01.csv", text, mtime=1_790_000_000 + number)
    first = (shop.company.extracts_dir / "sales/returns/returns_000_2026-10-01.csv").read_bytes()
    shop.deliver("sales/returns/copy_2026-10-02.csv", first, mtime=1_790_000_500)


def contents(shop: Shop) -> dict[str, Any]:
    shop.reconcile()
    tables = ["raw.sales__returns", "raw.sales__products", "raw.sales__order_lines"]
    found: dict[str, Any] = {table: shop.rows(f"select * from {table} order by all") for table in tables}
    found["files"] = shop.rows(
        "select file_name, status, row_count, raw_row_count, delivery_key from landing.files order by all"
    )
    found["rejected"] = shop.rows(
        "select file_id, file_name, line_no, reason, released_at from landing.rejected_rows order by all"
    )
    return found


def start(shop: Shop) -> subprocess.Popen[str]:
    """A process that has everything imported and lands when told to."""
    process = subprocess.Popen(
        [sys.executable, "-c", LAND, str(shop.company.folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=PROJECT_DIR,
        env={**os.environ, "PYTHONPATH": str(PROJECT_DIR)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def kill_at_random(shop: Shop, expected: dict[str, Any], rounds: int, seed: int) -> tuple[int, int]:
    """Kill landings of the same deliveries; returns how many died before they had ended, and before they had begun to write."""
    chance = random.Random(seed)
    killed = early = survived = 0
    longest = 0.3
    while killed < rounds and survived < 5 * rounds:
        if chance.random() < 0.5:
            # Half of the rounds go on from what the kill before has left.
            shutil.rmtree(shop.company.state_dir, ignore_errors=True)
        process = start(shop)
        assert process.stdin is not None
        started = time.monotonic()
        process.stdin.write("go\n")
        process.stdin.flush()
        try:
            process.wait(timeout=chance.random() * longest)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.returncode in (0, -9), process.communicate()[1]
        if process.returncode == 0:
            survived += 1
            longest = max(0.05, 0.9 * (time.monotonic() - started))
        else:
            killed += 1
            early += not shop.company.warehouse_path.exists()
            longest *= 1.1
        if chance.random() < 0.3:
            shop.land()
            assert contents(shop) == expected
    shop.land()
    assert contents(shop) == expected
    return killed, early


def expected_of(golden: Shop, files: int, rows: int) -> dict[str, Any]:
    deliver(golden, files, rows)
    golden.land()
    return contents(golden)


def test_killed_landings_leave_nothing_half_done(new_shop: Callable[[str], Shop]) -> None:
    expected = expected_of(new_shop("golden"), 3, 300)
    shop = new_shop("killed")
    deliver(shop, 3, 300)
    killed, _ = kill_at_random(shop, expected, rounds=6, seed=1)
    assert killed == 6


@pytest.mark.soak
def test_a_hundred_and_twenty_killed_landings_leave_nothing_half_done(new_shop: Callable[[str], Shop]) -> None:
    expected = expected_of(new_shop("golden"), 20, 2_000)
    shop = new_shop("killed")
    deliver(shop, 20, 2_000)
    killed, early = kill_at_random(shop, expected, rounds=120, seed=2)
    assert killed == 120
    print(json.dumps({"killed": killed, "before the warehouse file was there": early}))


def test_a_warehouse_file_that_a_crash_left_without_content_is_begun_anew(shop: Shop) -> None:
    deliver(shop, 1, 10)
    expected_files = len(list(shop.company.extracts_dir.rglob("*.csv")))
    shop.company.state_dir.mkdir(parents=True)
    for size in (0, 100, 4096, 8192):
        shop.company.warehouse_path.write_bytes(bytes(size))
        assert shop.land().files_seen == expected_files
        shop.reconcile()
        shop.company.warehouse_path.unlink()


def test_a_file_that_is_no_warehouse_is_never_overwritten(shop: Shop) -> None:
    shop.company.state_dir.mkdir(parents=True)
    shop.company.warehouse_path.write_bytes(b"somebody's notes" * 10)
    with pytest.raises(LandingError):
        shop.land()
    assert shop.company.warehouse_path.read_bytes() == b"somebody's notes" * 10


@pytest.mark.parametrize("free_bytes", [200_000, pytest.param(3_000_000, marks=pytest.mark.soak)])
def test_a_full_disk_is_a_clear_error_and_the_next_run_goes_on(
    new_shop: Callable[[str], Shop], small_disk: Path, free_bytes: int
) -> None:
    shop = new_shop("shop")
    deliver(shop, 1, 50)
    (small_disk / "extracts").symlink_to(shop.company.extracts_dir)
    company = replace(shop.company, data_dir=small_disk)
    on_disk = Shop(company)
    first = land(company)
    assert first.files_landed == 3
    before = contents(on_disk)

    rows = 40_000 if free_bytes < 1_000_000 else 100_000
    golden = new_shop("golden")
    for target in (shop, golden):
        deliver(target, 1, 50)
        lines = [f"B{line},O1,{line},2026-10-01 10:00:00,1,2.5,{line * 7919 % 1_000_003:x}" for line in range(rows)]
        target.returns("big_2026-10-03.csv", *lines, mtime=1_790_001_000)
    golden.land()
    expected = contents(golden)
    (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free - free_bytes))
    with pytest.raises(LandingError, match="disk is full"):
        land(company)
    # The transaction is in as a whole, where only the checkpoint after it found no space, or not at all.
    assert contents(on_disk) in ((before, expected) if free_bytes > 1_000_000 else (before,))

    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    land(company)
    assert contents(on_disk) == expected
