"""Answers payloads and contexts from standard input with the Python example: each a length of 4 bytes, then the bytes."""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "web/examples/python"))
sys.dont_write_bytecode = True

from plan import load  # noqa: E402

plan = load(Path(sys.argv[1]).read_bytes())
read = sys.stdin.buffer.read


def texts():
    while length := read(4):
        yield read(struct.unpack("<I", length)[0])


asked = texts()
for payload in asked:
    answer = plan(payload, next(asked))
    sys.stdout.buffer.write(struct.pack("<I", len(answer)) + answer)
    sys.stdout.buffer.flush()
