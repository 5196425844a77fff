"""`export --checkpoint C --out FILE.onnx`: a trained single-view estimator for programs without PyTorch."""

from __future__ import annotations

import argparse
from pathlib import Path

KEPT = "nothing was written; an earlier file is as it was"
OPSETS = range(18, 24)
EPILOG = """
The file takes square crops (rgb) and their cameras (K), any number at a time, and gives the estimator's pose; its
metadata say shapes, units and the joints' names. Needs the extra `export`: pip install 'mvhm[export]'.

  mvhm export --checkpoint out/train/mvhm_sv-nano --out hand.onnx
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument(
        "--checkpoint", type=Path, required=True, metavar="RUN", help="folder of a run, or its weights.safetensors"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.onnx", help="is replaced if it is there")
    parser.add_argument(
        "--opset", type=int, choices=OPSETS, default=20, metavar="N", help="of ONNX, 18 to 23 (default 20)"
    )


def run(options: argparse.Namespace) -> int:
    """Export, and say what the file holds."""
    import onnx  # noqa: F401  what is not installed is said before a minute of work
    import onnxscript  # noqa: F401

    from rigging.errors import InputError
    from rigging.files import write_atomic

    from ..inference.export import onnx_bytes
    from ..train.run_folder import load_run

    if options.out.suffix != ".onnx" or options.out.is_dir():
        raise InputError(f"--out {options.out}: a file FILE.onnx is wanted")
    if not options.out.parent.is_dir():
        raise InputError(f"--out {options.out}: there is no folder {options.out.parent}")
    estimator, config = load_run(options.checkpoint)
    data = onnx_bytes(estimator, config, options.opset)
    write_atomic(options.out, data)
    print(f"{options.out}: {estimator.name}, opset {options.opset}, {len(data) / 2**20:.1f} MiB")
    return 0
