"""Print the sha256 of a panorama, read twice, in a process whose OpenEXR is held while it chooses its DWA decoder.

The library marks the choice as made and then asks the processor what it can do. There, at the first of those questions,
its code is made an endless loop for a second, by the handler of an alarm, itself a few bytes of code; meanwhile the
library's other thread decodes its part of the file. Linux on x86-64 alone; where OpenEXR is built otherwise, so that
the place is not found, it says so and fails.
"""

import ctypes
import hashlib
import mmap
import signal
import sys
from pathlib import Path

from blender_scripts.looks.hdri import hdri_files, read_panorama

CHOICE = bytes.fromhex("89f0 0fa2 85c0 7448")  # mov eax, esi; cpuid; test eax, eax; je: only there in the library
LOOP = bytes.fromhex("ebfe")  # jmp to itself
SECONDS = 1.0
ANYTHING = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
LIBC = ctypes.CDLL(None, use_errno=True)


def place_of_choice() -> int:
    """The address of the library's code to hold."""
    lines = [line for line in Path("/proc/self/maps").read_text().splitlines() if "libOpenEXRCore" in line]
    library, start = Path(lines[0].split()[-1]), int(lines[0].partition("-")[0], 16)
    found = library.read_bytes()
    if found.count(CHOICE) != 1:
        sys.exit(f"{library}: {found.count(CHOICE)} places look like the choice of a decoder; one is wanted")
    return start + found.index(CHOICE)


def hold(place: int) -> mmap.mmap:
    """Let the code at `place` loop until the alarm; the handler, to be kept, is returned."""
    page = place & -mmap.PAGESIZE
    if LIBC.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(2 * mmap.PAGESIZE), ANYTHING):
        sys.exit(f"the library's code cannot be made writable (errno {ctypes.get_errno()})")
    handler = mmap.mmap(-1, mmap.PAGESIZE, prot=ANYTHING)
    # mov rax, place; mov word [rax], what was there; ret
    handler.write(b"\x48\xb8" + place.to_bytes(8, "little") + b"\x66\xc7\x00" + CHOICE[: len(LOOP)] + b"\xc3")
    code = ctypes.addressof(ctypes.c_char.from_buffer(handler))
    LIBC.signal(signal.SIGALRM, ctypes.c_void_p(code))
    ctypes.memmove(place, LOOP, len(LOOP))
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    return handler


path = hdri_files()["interior"]
kept = hold(place_of_choice())
for _ in range(2):
    print(hashlib.sha256(read_panorama(path).tobytes()).hexdigest())
