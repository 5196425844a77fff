"""The changelog keeps what it holds."""

from __future__ import annotations

from dataset_tools.release.changelog import changelog


def test_newest_first_and_nothing_is_lost():
    first = changelog("demo", "1.0.0", None, "First release.")
    second = changelog("demo", "1.1.0", "2026-02-03", "Better masks.", first)
    assert first == "# Changelog of demo\n\n## 1.0.0\n\nFirst release.\n"
    assert second == ("# Changelog of demo\n\n## 1.1.0 (2026-02-03)\n\nBetter masks.\n\n## 1.0.0\n\nFirst release.\n")


def test_an_entry_of_an_interrupted_run_is_written_once():
    once = changelog("demo", "1.1.0", None, "Better masks.", changelog("demo", "1.0.0", None, "First."))
    assert changelog("demo", "1.1.0", None, "Better masks.", once) == once


def test_headings_in_the_words_of_a_maintainer_stay_below_the_version():
    text = changelog("demo", "1.0.0", None, "# Masks\n\nBetter.\n## 1.0.0 is odd\n#hash")
    assert "\n### Masks\n" in text and "\n### 1.0.0 is odd\n#hash\n" in text
    assert changelog("demo", "1.0.1", None, "x", text).endswith(text.removeprefix("# Changelog of demo\n"))


def test_notes_of_an_older_changelog_are_kept():
    text = changelog("demo", "1.0.0", None, "First release.", "Made by hand.\n\n## 0.1 draft\n\nOld.\n")
    assert "Made by hand." in text and text.endswith("## 0.1 draft\n\nOld.\n")
