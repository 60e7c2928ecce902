"""The sandbox serves on loopback: on a thread of this process, or until Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import httpx
import pytest
from rollbook.core.errors import SettingsError, UnknownName
from rollbook.sandbox import VENDORS, Fault, Sandbox, Tenant, app


def fetch(sandbox: Sandbox, path: str, *, timeout: float = 5) -> httpx.Response:
    auth = (sandbox.settings["api_key"], "")
    return httpx.get(sandbox.base_url + path, auth=auth, trust_env=False, timeout=timeout)


def test_a_sandbox_answers_on_a_free_port_of_loopback_and_stops_without_a_trace() -> None:
    before = threading.active_count()

    with Sandbox("talentlms") as sandbox:
        answer = fetch(sandbox, "/api/v1/users")
        assert answer.status_code == 200
        assert sandbox.base_url.startswith("http://127.0.0.1:")
        assert not sandbox.base_url.endswith(":0")

    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        fetch(sandbox, "/api/v1/users")


def test_two_sandboxes_run_side_by_side() -> None:
    with Sandbox("talentlms") as one, Sandbox("canvas") as other:
        assert one.base_url != other.base_url
        token = {"Authorization": f"Bearer {other.settings['access_token']}"}
        assert httpx.get(f"{other.base_url}/api/v1/users/self", headers=token, trust_env=False).status_code == 200


def test_a_sandbox_can_be_entered_again_and_goes_on_with_its_tenant() -> None:
    sandbox = Sandbox("talentlms")
    with sandbox:
        sandbox.tenant.delete_person(103)
    with sandbox:
        assert len(fetch(sandbox, "/api/v1/users").json()) == 24


def test_requests_are_logged_by_method_and_path() -> None:
    with Sandbox("talentlms") as sandbox:
        fetch(sandbox, "/api/v1/users/page_size:2,page_number:1")
        fetch(sandbox, "/api/v1/nope?x=1")

    assert sandbox.requests == ["GET /api/v1/users/page_size:2,page_number:1", "GET /api/v1/nope?x=1"]


def test_a_cut_connection_looks_like_one_to_a_client() -> None:
    with Sandbox("talentlms", faults=[Fault(what="cut")]) as sandbox:
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message"):
            fetch(sandbox, "/api/v1/users")
        assert fetch(sandbox, "/api/v1/users").status_code == 200


def test_faults_can_be_switched_on_while_it_runs_and_a_slow_answer_does_not_hold_it_up() -> None:
    with Sandbox("talentlms") as sandbox:
        sandbox.faults.add(Fault(what="slow", seconds=60))
        with pytest.raises(httpx.ReadTimeout):
            fetch(sandbox, "/api/v1/users", timeout=0.05)
        assert fetch(sandbox, "/api/v1/users").status_code == 200


def test_a_changed_tenant_is_seen_by_the_next_request() -> None:
    tenant = Tenant()
    with Sandbox("talentlms", tenant=tenant) as sandbox:
        before = {row["id"] for row in fetch(sandbox, "/api/v1/users/id:103").json()["courses"]}
        tenant.enrol(103, 11)
        after = {row["id"] for row in fetch(sandbox, "/api/v1/users/id:103").json()["courses"]}

    assert after - before == {"11"}


def test_an_unknown_vendor_is_named_with_the_known_ones() -> None:
    assert set(VENDORS) == {"talentlms", "canvas"}
    with pytest.raises(UnknownName, match="canvas"):
        app("canvass")


def test_a_taken_port_is_a_clear_error() -> None:
    with Sandbox("talentlms") as sandbox:
        port = int(sandbox.base_url.rpartition(":")[2])
        with pytest.raises(SettingsError, match=f"port {port}"), Sandbox("canvas", port=port):
            pass


def test_serving_ends_cleanly_at_ctrl_c() -> None:
    program = "from rollbook.sandbox import serve; serve('talentlms', announce=lambda a, s: print(a, flush=True))"
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert httpx.get(address, trust_env=False).status_code == 401
        process.send_signal(signal.SIGINT)
        _, noise = process.communicate(timeout=20)

    assert process.returncode == 0
    assert "Traceback" not in noise


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_without_the_extra_it_says_what_to_install(package: str) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; import rollbook.sandbox"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603 - likewise

    assert f"SettingsError: the sandbox needs the package {package!r}" in done.stderr
    assert "pip install 'rollbook[sandbox]'" in done.stderr
