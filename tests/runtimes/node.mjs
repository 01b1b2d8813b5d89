// Answers payloads and contexts from standard input with the Node example: each a length of 4 bytes, then the bytes.
import { readFileSync } from "node:fs";
import { argv, stdin, stdout } from "node:process";
import { load } from "../../web/examples/node/plan.mjs";

const plan = load(readFileSync(argv[2]));
let read = Buffer.alloc(0);

/** The text at an offset, and where it ends; nothing while it is not all there. */
function text(at) {
  if (read.length < at + 4) return undefined;
  const end = at + 4 + read.readUInt32LE(at);
  return read.length < end ? undefined : { bytes: read.subarray(at + 4, end), end };
}

for await (const piece of stdin) {
  read = Buffer.concat([read, piece]);
  for (;;) {
    const payload = text(0);
    const context = payload && text(payload.end);
    if (!context) break;
    const answer = plan(payload.bytes, context.bytes);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(answer.length);
    stdout.write(Buffer.concat([length, answer]));
    read = read.subarray(context.end);
  }
}
