"""Secrets at rest: for their owner only, saved whole, clear when they are damaged."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import pytest
from rollbook.core.errors import SettingsError
from rollbook.core.http import Vault

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")


def test_what_is_put_is_got_by_everybody_who_opens_the_file(tmp_path: Path) -> None:
    Vault(tmp_path / "vault.json").put("a", "ü1")
    Vault(tmp_path / "vault.json").put("b", "2")
    vault = Vault(tmp_path / "vault.json")

    assert (vault.get("a"), vault.get("b"), vault.get("c")) == ("ü1", "2", None)


@posix
def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Vault(tmp_path / "vault.json").put("a", "1")
    finally:
        os.umask(before)

    assert [oct(file.stat().st_mode & 0o777) for file in sorted(tmp_path.iterdir())] == ["0o600", "0o600"]


def test_a_failed_write_keeps_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    vault = Vault(tmp_path / "vault.json")
    vault.put("a", "1")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SettingsError, match="cannot be written: No space left on device"):
        vault.put("a", "2")

    assert vault.get("a") == "1"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b"\xff\xfe"])
def test_a_damaged_file_is_a_clear_error_and_is_not_overwritten(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "vault.json"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match="is damaged"):
        Vault(file).put("a", "1")

    assert file.read_bytes() == content


def test_a_folder_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be locked: No such file or directory"):
        Vault(tmp_path / "nowhere" / "vault.json").put("a", "1")


def test_its_content_does_not_show_in_its_repr(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault.json")
    vault.put("a", "s3cr3t")

    assert "s3cr3t" not in repr(vault)


HOLD = """
import asyncio, sys
from rollbook.core.http import Vault
async def hold():
    async with Vault(sys.argv[1]).held() as kept:
        print("held", flush=True)
        sys.stdin.readline()
        kept.put("token", "new")
asyncio.run(hold())
"""


def test_a_process_waits_while_another_one_holds_it(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault.json")
    vault.put("token", "old")

    async def scene() -> tuple[bool, str | None]:
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HOLD, str(vault.path), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert other.stdout
        assert await other.stdout.readline() == b"held\n"

        async def ours() -> str | None:
            async with vault.held() as kept:
                return kept.get("token")

        waiting = asyncio.create_task(ours())
        done, _ = await asyncio.wait({waiting}, timeout=0.05)
        await other.communicate(b"\n")
        return bool(done), await waiting

    assert asyncio.run(scene()) == (False, "new")


def test_it_is_let_go_when_its_holder_fails(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault.json")

    async def fail() -> None:
        async with vault.held():
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        asyncio.run(fail())
    vault.put("a", "1")

    assert vault.get("a") == "1"
