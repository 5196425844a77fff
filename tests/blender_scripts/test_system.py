"""A bpy that does not import is explained in one line that says what to run."""

from __future__ import annotations

from blender_scripts.system import SYSTEM_LIBRARIES, explain_import_error, import_failure, missing_library


def test_a_missing_library_is_named_with_the_line_that_installs_it():
    line = explain_import_error("ImportError: libXi.so.6: cannot open shared object file: No such file or directory")
    assert "libXi.so.6" in line
    assert "apt-get install -y" in line
    assert all(package in line for package in SYSTEM_LIBRARIES.values())


def test_other_failures_keep_their_own_words_in_one_line():
    assert "Python 3.11 or 3.13" in explain_import_error("No module named 'bpy'")
    assert explain_import_error("Traceback ...\nImportError: wrong ELF class\n").endswith(
        ": ImportError: wrong ELF class"
    )
    assert missing_library("ImportError: wrong ELF class") is None


def test_bpy_imports_here():
    assert import_failure() is None
