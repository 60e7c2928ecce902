"""One sync of a connection at a time, wherever it runs."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from rollbook.core.errors import StoreError
from rollbook.core.store import PRIVATE, Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

HOLDER = """
import sys
from rollbook.core.store import Store
with Store(sys.argv[1]) as store, store.held("acme"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_sync_of_a_connection_is_turned_away(address: str) -> None:
    with Store(address) as one, Store(address) as other, one.held("acme"):
        with pytest.raises(StoreError, match="another sync of 'acme' is under way"), other.held("acme"):
            pytest.fail("both hold it")
        with other.held("globex"):
            pass


def test_it_is_free_again_afterwards(address: str) -> None:
    with Store(address) as store:
        for _ in range(3):
            with store.held("acme"):
                pass


def test_an_error_inside_lets_it_go(address: str) -> None:
    with Store(address) as store:
        with pytest.raises(ZeroDivisionError), store.held("acme"):
            raise ZeroDivisionError
        with store.held("acme"):
            pass


def test_another_process_holds_it_until_it_is_killed(address: str) -> None:
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", HOLDER, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"

        with Store(address) as store:
            with pytest.raises(StoreError, match="under way"), store.held("acme"):
                pytest.fail("both hold it")
            holder.send_signal(signal.SIGKILL)
            holder.wait()
            with _soon(store):
                pass


def _soon(store: Store) -> AbstractContextManager[Callable[[], None]]:
    """Take the lock; a server may need a moment to see that its client has died."""
    import time

    end = time.monotonic() + 20
    while True:
        held = store.held("acme")
        try:
            held.__enter__()
        except StoreError:
            if time.monotonic() > end:
                raise
        else:
            held.__exit__(None, None, None)
            return store.held("acme")


def test_the_lock_file_goes_away(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'book.db'}") as store:
        with store.held("acme"):
            assert len(list(tmp_path.glob("*.lock"))) == 1

        assert not list(tmp_path.glob("*.lock"))


def test_a_private_database_needs_none() -> None:
    with Store(PRIVATE) as store, store.held("acme"), store.held("acme"):
        pass


def test_a_store_in_another_schema_or_file_has_locks_of_its_own(
    request: pytest.FixtureRequest, address: str, tmp_path: Path
) -> None:
    if address.startswith("sqlite"):
        elsewhere = f"sqlite:///{tmp_path / 'other.db'}"
    else:
        elsewhere = request.getfixturevalue("postgres")()
    with Store(address) as one, Store(elsewhere) as other, one.held("acme"), other.held("acme"):
        pass
