"""`rollbook init` writes a config that works, asks only what it must, and shows no secret."""

from __future__ import annotations

import stat
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest
from rollbook.core.settings import load_config

if TYPE_CHECKING:
    from .conftest import Desk


@pytest.fixture
def bare(desk: Desk) -> Desk:
    """Give a desk with a plug-in that is installed, and no config."""
    (desk.folder / "rollbook.toml").unlink()
    sys.path.insert(0, str(desk.folder))
    __import__("paper_lms")
    return desk


def written(desk: Desk) -> str:
    return (desk.folder / "rollbook.toml").read_text(encoding="utf-8")


def test_flags_write_a_config_without_asking(bare: Desk) -> None:
    result = bare.run("init", "--connector", "paper", "--name", "acme", "--set", "file=lms.json", "--set", "floor=2")

    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == "rollbook.toml is written. Try it: rollbook check acme; then: rollbook sync acme\n"
    assert tomllib.loads(written(bare)) == {
        "store": {"url": "sqlite:///rollbook.db"},
        "connections": {"acme": {"connector": "paper", "file": "lms.json", "token": {"env": "ACME_TOKEN"}, "floor": 2}},
    }


def test_the_config_works(bare: Desk) -> None:
    bare.run("init", "--connector", "paper", "--name", "acme", "--set", "file=lms.json")

    assert bare.run("sync", "acme").exit_code == 0


def test_every_setting_is_there_with_its_meaning(bare: Desk) -> None:
    bare.run("init", "--connector", "paper", "--set", "file=lms.json")
    text = written(bare)

    assert '# Path of the file that stands for the LMS.\nfile = "lms.json"\n' in text
    assert '# Zone of date-times that the LMS sends without one.\n# timezone = "UTC"\n' in text
    assert "# [connections.paper.mapping.course_enrollment.custom_fields]\n" in text


def test_questions_are_asked_for_what_is_required(bare: Desk) -> None:
    result = bare.run("init", input="papr\npaper\nacme\nlms.xml\nlms.json\n\n")

    assert result.exit_code == 0
    assert "Did you mean 'paper'?" in result.stderr
    assert "file: expected a file that ends in .json" in result.stderr
    assert load_config().connection("acme").values == {"file": "lms.json", "token": {"env": "ACME_TOKEN"}}


def test_a_secret_that_is_typed_is_not_shown(bare: Desk) -> None:
    result = bare.run("init", input="paper\nacme\nlms.json\nhunter2\n")

    assert load_config().settings("acme")["token"] == "hunter2"
    assert "hunter2" not in result.output


def test_odd_texts_are_written_so_that_they_come_back(bare: Desk) -> None:
    odd = 'a"b\\c\td\x7fé.json'
    bare.run("init", "--connector", "paper", "--set", f"file={odd}")

    assert load_config().connection("paper").values["file"] == odd


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are POSIX's")
def test_the_config_is_for_its_owner_only(bare: Desk) -> None:
    bare.run("init", "--connector", "paper", "--set", "file=lms.json")

    assert stat.S_IMODE((bare.folder / "rollbook.toml").stat().st_mode) == 0o600


def test_an_earlier_config_is_never_overwritten(desk: Desk) -> None:
    before = written(desk)
    result = desk.run("init", "--connector", "paper", "--set", "file=lms.json")

    assert result.exit_code == 2
    assert "rollbook.toml is already there\n" in result.stderr
    assert written(desk) == before


def test_another_file_can_be_named(bare: Desk) -> None:
    bare.run("--config", "other.toml", "init", "--connector", "paper", "--set", "file=lms.json")

    assert (bare.folder / "other.toml").exists()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--connector", "papr"], "unknown connector 'papr'"),
        (["--connector", "paper"], "the setting 'file' is missing\nGive it: --set file=... (Path of the file"),
        (["--connector", "paper", "--set", "fil=x"], "unknown setting of paper 'fil'\nDid you mean 'file'?"),
        (["--connector", "paper", "--set", "file"], "'file' is not KEY=VALUE."),
        (["--connector", "paper", "--set", "file=x"], "file: expected a file that ends in .json"),
        (["--connector", "paper", "--name", "a b"], "'a b' is not a name of letters"),
    ],
)
def test_a_wrong_flag_is_told_and_nothing_is_written(bare: Desk, flags: list[str], said: str) -> None:
    result = bare.run("init", *flags)

    assert result.exit_code == 2
    assert said in result.stderr
    assert not (bare.folder / "rollbook.toml").exists()


def test_answers_that_end_too_early_write_nothing(bare: Desk) -> None:
    result = bare.run("init", input="paper\n")

    assert result.exit_code == 130
    assert not (bare.folder / "rollbook.toml").exists()
