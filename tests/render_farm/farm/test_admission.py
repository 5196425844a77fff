"""How long a farm waits for a node that can be used."""

import time
from types import SimpleNamespace

import pytest

from render_farm.errors import PassingError
from render_farm.farm import admission
from render_farm.farm.admission import PATIENCE_SECONDS, Admission


def test_without_a_usable_node_for_ten_minutes_the_farm_ends_and_may_be_called_again(monkeypatch):
    now = [time.monotonic()]
    monkeypatch.setattr(admission.time, "monotonic", lambda: now[0])
    lonely = Admission(None, SimpleNamespace(nodes={}), "", print)
    now[0] += PATIENCE_SECONDS - 1
    lonely.judge()
    now[0] += 2
    with pytest.raises(PassingError, match="no usable node for 10 min; finished samples are kept, run again"):
        lonely.judge()
    assert PassingError.exit_code == 75
