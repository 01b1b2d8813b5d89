// A Node program that decides with tributary.wasm: node plan.mjs tributary.wasm payload.json context.json
import { readFileSync } from "node:fs";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";

/** Loads the module; what comes back takes two Uint8Arrays and answers one. */
export function load(wasm) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm));

  // A buffer is {ptr, len}: two numbers of 32 bits. The memory may have moved since the last call.
  const bytes = (buffer) => {
    const [ptr, len] = new Uint32Array(exports.memory.buffer, buffer >>> 0, 2);
    return new Uint8Array(exports.memory.buffer, ptr, len);
  };
  const lend = (text) => {
    const buffer = exports.tributary_buffer_new(text.length);
    if (buffer === 0) throw new RangeError("no room for the payload");
    bytes(buffer).set(text);
    return buffer;
  };

  return (payload, context) => {
    const buffers = [lend(payload), lend(context)];
    buffers.push(exports.tributary_plan(...buffers));
    const answer = bytes(buffers[2]).slice();
    buffers.forEach((buffer) => exports.tributary_buffer_free(buffer));
    return answer;
  };
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  const [wasm, payload, context] = argv.slice(2).map((path) => readFileSync(path));
  console.log(Buffer.from(load(wasm)(payload, context)).toString());
}
