"""Decides with tributary.wasm and PyPI's wasmtime: python plan.py tributary.wasm payload.json context.json"""

import struct
import sys

from wasmtime import Engine, Instance, Module, Store


def load(wasm):
    """Loads the module; what comes back takes two byte strings and answers one."""
    store = Store(Engine())
    exports = Instance(store, Module(store.engine, wasm), []).exports(store)
    memory = exports["memory"]

    def place(buffer):
        return struct.unpack("<II", memory.read(store, buffer, buffer + 8))

    def lend(text):
        buffer = exports["tributary_buffer_new"](store, len(text)) & 0xFFFFFFFF
        if buffer == 0:
            raise MemoryError("no room for the payload")
        memory.write(store, text, place(buffer)[0])
        return buffer

    def plan(payload, context):
        buffers = [lend(payload), lend(context)]
        buffers.append(exports["tributary_plan"](store, *buffers) & 0xFFFFFFFF)
        ptr, length = place(buffers[2])
        answer = bytes(memory.read(store, ptr, ptr + length))
        for buffer in buffers:
            exports["tributary_buffer_free"](store, buffer)
        return answer

    return plan


if __name__ == "__main__":
    wasm, payload, context = (open(path, "rb").read() for path in sys.argv[1:])
    print(load(wasm)(payload, context).decode())
