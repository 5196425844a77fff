"""Print the sha256 of a panorama, read twice, in a process whose OpenEXR is held while it chooses its DWA decoder.

The library marks the choice as made and then asks the processor what it can do. There, at the first of those questions,
its code is made an endless loop, which another process ends; meanwhile the library's other thread decodes its part of
the file. Linux on x86-64 alone; where OpenEXR is built otherwise, so that the place is not found, it says so and fails.
"""

import ctypes
import hashlib
import os
import subprocess
import sys
from pathlib import Path

from blender_scripts.looks.hdri import hdri_files, read_panorama

CHOICE = bytes.fromhex("89f0 0fa2 85c0 7448")  # mov eax, esi; cpuid; test eax, eax; je: only there in the library
LOOP = bytes.fromhex("ebfe")  # jmp to itself
ANY_PROCESS, SET_PTRACER = ctypes.c_ulong(-1), 0x59616D61
RELEASE = """
import sys, time
process, place, code = sys.argv[1:]
time.sleep(1)
with open(f"/proc/{process}/mem", "r+b", buffering=0) as memory:
    memory.seek(int(place))
    memory.write(bytes.fromhex(code))
"""


def place_of_choice() -> int:
    """The address of the library's code to hold."""
    lines = [line for line in Path("/proc/self/maps").read_text().splitlines() if "libOpenEXRCore" in line]
    library, start = Path(lines[0].split()[-1]), int(lines[0].partition("-")[0], 16)
    found = library.read_bytes()
    if found.count(CHOICE) != 1:
        sys.exit(f"{library}: {found.count(CHOICE)} places look like the choice of a decoder; one is wanted")
    return start + found.index(CHOICE)


def hold(place: int) -> subprocess.Popen:
    """Let the code at `place` loop; the process returned ends that after a second."""
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        memory.seek(place)
        memory.write(LOOP)
    ctypes.CDLL(None).prctl(SET_PTRACER, ANY_PROCESS)  # a child may write there
    return subprocess.Popen([sys.executable, "-c", RELEASE, str(os.getpid()), str(place), CHOICE[: len(LOOP)].hex()])


path = hdri_files()["interior"]
released = hold(place_of_choice())
for _ in range(2):
    print(hashlib.sha256(read_panorama(path).tobytes()).hexdigest())
sys.exit(released.wait())
