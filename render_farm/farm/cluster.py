"""Ray for the farm: started here for loopback only, or a cluster with token authentication that is joined.

Whoever reaches a port of Ray without a token runs code as the user who started it. So Ray is never started with a port
on a network, and never joined without a token.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from rigging.errors import Terminated

from ..errors import InputError, PassingError

log = logging.getLogger(__name__)

LONGEST_FOLDER = 40  # characters: Ray adds 64 to it for its sockets, whose paths may have 107
PREFIX = "mvhm-ray-"
STORE_BYTES = 100 << 20  # of shared memory; only a few chunks of finished shards ever lie there
CONNECT_SECONDS = 10.0
# What Ray would collect, several times a second, for a dashboard that is not there; takes from the renderers' cores
QUIET = {
    "RAY_enable_metrics_collection": "0",
    "RAY_enable_ray_event": "0",
    "RAY_enable_timeline": "0",
    "RAY_task_events_report_interval_ms": "0",
    "RAY_raylet_report_resources_period_milliseconds": "2000",
    "REPORTER_UPDATE_INTERVAL_MS": "60000",
}
DEFAULT_TOKEN = Path(".ray/auth_token")  # in the home folder, where `ray get-auth-token --generate` writes it


@contextlib.contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Ray, until the block ends: of this machine alone, or the cluster at `address` (HOST:PORT).

    Raises InputError if the cluster does not ask for a token or refuses ours, PassingError if it cannot be reached or
    none of its nodes is on this machine.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address is not None:
        require_token(address)
    with contextlib.ExitStack() as stack:
        if address is None:
            _start(stack.enter_context(_local_folder()))
        else:
            _join(address)
        import ray

        stack.callback(ray.shutdown)
        with _sigterm():
            yield


@contextlib.contextmanager
def _sigterm() -> Iterator[None]:
    """SIGTERM ends the block with Terminated. Ray's own handler would exit with 1.

    Of all exceptions of a handler, KeyboardInterrupt is the one that Ray's calls let through.
    """
    received = []

    def interrupt(*_: object) -> NoReturn:
        received.append(True)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        if received:
            raise Terminated("told to end (SIGTERM)") from None
        raise


def require_token(address: str) -> None:
    """Turn token authentication on for this process. Raises InputError if it is forbidden or there is no token."""
    how = f"--address {address}: the cluster must run with RAY_AUTH_MODE=token, and its token is needed here"
    if os.environ.setdefault("RAY_AUTH_MODE", "token").lower() != "token":
        raise InputError(f"{how}; RAY_AUTH_MODE is {os.environ['RAY_AUTH_MODE']!r}")
    if not _token():
        raise InputError(f"{how}: set RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH")


def _token() -> str:
    """The token as Ray finds it; "" if there is none."""
    if token := os.environ.get("RAY_AUTH_TOKEN"):
        return token.strip()
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / DEFAULT_TOKEN)
    return path.read_text().strip() if path.is_file() else ""


def _start(folder: Path) -> None:
    """Start Ray on 127.0.0.1 with a token of its own.

    Ray turns 127.0.0.1 into the machine's own address, where it listens to the network, unless it is told that there
    will be one node only: the variable is meant for other systems, and works on all. It is read on Ray's import.
    """
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ.pop("RAY_AUTH_TOKEN_PATH", None)
    os.environ.update(QUIET, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
    import ray

    if ray.util.get_node_ip_address() != "127.0.0.1":  # imported before, or a version that does it in another way
        raise RuntimeError(f"Ray would listen on {ray.util.get_node_ip_address()} instead of loopback")
    ray.init(
        address="local",
        num_cpus=len(os.sched_getaffinity(0)),
        include_dashboard=False,
        configure_logging=False,
        log_to_driver=False,
        object_store_memory=STORE_BYTES,
        _temp_dir=str(folder),
    )


def _join(address: str) -> None:
    with_token, without = _ask(address, _token()), _ask(address, None)
    if with_token == "UNAUTHENTICATED":
        raise InputError(f"--address {address}: the cluster does not accept this token")
    if with_token != "OK":
        raise PassingError(f"--address {address}: no Ray cluster answers there ({with_token})")
    if without == "OK":
        raise InputError(f"--address {address}: the cluster lets in whoever asks: start it with RAY_AUTH_MODE=token")
    import ray

    try:
        ray.init(address=address, configure_logging=False, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        line = str(error).strip().partition("\n")[0]
        raise PassingError(
            f"--address {address}: {line} (this machine must be one of its nodes: "
            f"`ray start --address={address} --num-cpus=0` makes it one that does no work)"
        ) from error


def _ask(address: str, token: str | None) -> str:
    """What the cluster's head says to a harmless question: "OK", "UNAUTHENTICATED", "UNAVAILABLE", ..."""
    import grpc

    metadata = [("authorization", f"Bearer {token}")] if token else []
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        question = channel.unary_unary("/ray.rpc.NodeInfoGcsService/GetClusterId")
        try:
            question(b"", timeout=CONNECT_SECONDS, metadata=metadata)
        except grpc.RpcError as error:
            return error.code().name
    return "OK"


@contextlib.contextmanager
def _local_folder() -> Iterator[Path]:
    """A folder for Ray's sockets and logs, removed at the end; those of farms that were killed go too."""
    root = Path(tempfile.gettempdir())
    root = root if len(str(root / PREFIX)) + 20 <= LONGEST_FOLDER else Path("/tmp")
    for old in root.glob(f"{PREFIX}*-*"):
        pid = old.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
