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
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import InputError, PassingError

log = logging.getLogger(__name__)

LONGEST_FOLDER = 40  # characters: Ray adds 64 to it for its sockets, whose paths may have 107
PREFIX = "mvhm-ray-"
STORE_BYTES = 100 << 20  # of shared memory; only a few chunks of finished shards ever lie there
DEFAULT_TOKEN = Path(".ray/auth_token")  # in the home folder, where `ray get-auth-token --generate` writes it


@contextlib.contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Ray, until the block ends: of this machine alone, or the cluster at `address` (HOST:PORT).

    Raises InputError if there is no token for the cluster, or none of its nodes on this machine, PassingError if it
    cannot be reached.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "error")  # one line is ours to print
    if address is not None:
        require_token(address)
    with contextlib.nullcontext() if address is not None else _local_folder() as folder:
        try:
            if folder is None:
                _join(address)
            else:
                _start(folder)
            yield
        finally:
            import ray

            ray.shutdown()


def require_token(address: str) -> None:
    """Turn token authentication on for this process. Raises InputError if it is forbidden or there is no token."""
    how = f"ADDRESS={address}: the cluster must run with RAY_AUTH_MODE=token, and its token is needed here"
    if os.environ.setdefault("RAY_AUTH_MODE", "token").lower() != "token":
        raise InputError(f"{how}; RAY_AUTH_MODE is {os.environ['RAY_AUTH_MODE']!r}")
    if os.environ.get("RAY_AUTH_TOKEN"):
        return
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / DEFAULT_TOKEN)
    if not path.is_file() or not path.read_text().strip():
        raise InputError(f"{how}: set RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH ({path} holds none)")


def _start(folder: Path) -> None:
    """Start Ray on 127.0.0.1 with a token of its own.

    Ray turns 127.0.0.1 into the machine's own address, where it listens to the network, unless it is told that there
    will be one node only: the variable is meant for other systems, and works on all. It is read on Ray's import.
    """
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ.pop("RAY_AUTH_TOKEN_PATH", None)
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
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


def _join(address: str | None) -> None:
    import ray
    from ray.exceptions import AuthenticationError

    try:
        ray.init(address=address, configure_logging=False, log_to_driver=False)
    except AuthenticationError as error:
        raise InputError(f"ADDRESS={address}: the cluster does not accept this token") from error
    except (ConnectionError, RuntimeError, ValueError) as error:
        line = str(error).strip().partition("\n")[0]
        raise PassingError(
            f"ADDRESS={address}: {line} (is Ray running there with this token, and a node of it on this machine? "
            f"`ray start --address={address} --num-cpus=0` makes it one)"
        ) from error


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
