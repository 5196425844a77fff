"""Semantic versions and their order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_tools.release.version import Version, next_version
from rigging.errors import InputError

RULE_11 = (  # the example of semver.org's rule 11, and more
    "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
    "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0-0.3.7", "2.0.0",
)  # fmt: skip
NUMBERS = st.tuples(*[st.integers(0, 10**6)] * 3)


def test_versions_sort_as_rule_11_says():
    versions = [Version(text) for text in RULE_11]
    for i, one in enumerate(versions):
        for j, other in enumerate(versions):
            assert (one < other) == (i < j)


def version_of(numbers):
    return Version(".".join(map(str, numbers)))


@given(NUMBERS, NUMBERS)
def test_numbers_decide_as_numbers(one, other):
    assert (version_of(one) < version_of(other)) == (one < other)


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0.0", "1.0.-1", "1.0.0-", "1.0.0-01", "1.0.0 ", "1.0.0\n", "١.0.0"],
)
def test_anything_else_is_refused(text):
    with pytest.raises(InputError, match="a semantic version is wanted"):
        Version(text)


def test_a_build_does_not_make_a_version_higher():
    with pytest.raises(InputError, match=r"higher than 1\.0\.0\+a is wanted"):
        next_version("1.0.0+b", "1.0.0+a")
    assert str(next_version("1.0.1", "1.0.0+a")) == "1.0.1"
    assert str(next_version("0.1.0-rc.1", None)) == "0.1.0-rc.1"
