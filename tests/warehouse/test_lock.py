from __future__ import annotations

import subprocess
import sys

import pytest

from boscard.home import Home
from warehouse.errors import WarehouseBusy
from warehouse.lock import lock_path, writer_lock

HOLD = """
import sys, pathlib
from boscard.home import Home
from warehouse.lock import writer_lock
with writer_lock(Home(pathlib.Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def owner(home: Home):
    command = [sys.executable, "-c", HOLD, str(home.root)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def test_a_second_writer_is_told_who_holds_it(home: Home, owner) -> None:
    with pytest.raises(WarehouseBusy, match=f"process {owner.pid} is writing"), writer_lock(home):
        pass


def test_a_load_waits_for_no_one(home: Home, owner, load_night) -> None:
    with pytest.raises(WarehouseBusy):
        load_night()
    assert not home.warehouse.exists()


def test_a_killed_owner_frees_it(home: Home, owner) -> None:
    owner.kill()
    owner.wait()
    with writer_lock(home):
        assert lock_path(home).read_text() != f"{owner.pid}\n"


def test_it_is_free_again_after_use(home: Home) -> None:
    for _ in range(2):
        with writer_lock(home):
            pass
