"""Which clusters are joined, with which token, and from where; Ray itself is not started."""

import sys

import pytest

from render_farm.errors import InputError, PassingError
from render_farm.farm import cluster
from render_farm.farm.cluster import require_token

HEAD = "127.0.0.2:1"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder, and no token in the environment."""
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("place", ["RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", ".ray/auth_token"])
def test_the_token_is_read_where_ray_reads_it(home, monkeypatch, place):
    with pytest.raises(InputError, match="set RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH"):
        require_token(HEAD)
    path = home / (".ray/auth_token" if place.startswith(".") else "token")
    path.parent.mkdir(exist_ok=True)
    path.write_text("abc\n")
    if not place.startswith("."):
        monkeypatch.setenv(place, "abc" if place == "RAY_AUTH_TOKEN" else str(path))
    require_token(HEAD)
    assert cluster._token() == "abc"


@pytest.fixture
def answers(monkeypatch):
    """A cluster that answers a call with our token, and one without, as is said; `ray.init` fails."""

    class Ray:
        @staticmethod
        def init(**_):
            raise ConnectionError("this host is no node of the cluster\nand more")

    monkeypatch.setitem(sys.modules, "ray", Ray)

    def set_to(with_token, without):
        monkeypatch.setattr(cluster, "_ask", lambda address, token: with_token if token else without)

    return set_to


@pytest.mark.parametrize(
    ("with_token", "without", "error", "words"),
    [
        ("UNAVAILABLE", "UNAVAILABLE", PassingError, "no Ray cluster answers there"),
        ("OK", "OK", InputError, "the cluster lets in whoever asks"),
        ("OK", "UNAUTHENTICATED", PassingError, r"must be one of its nodes: `ray start --address=\S+ --num-cpus=0`"),
    ],
)
def test_no_cluster_is_joined_that_is_not_there_or_open_to_all_or_that_this_machine_is_no_node_of(
    home, monkeypatch, answers, with_token, without, error, words
):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "abc")
    answers(with_token, without)
    with pytest.raises(error, match=words):
        cluster._join(HEAD)
