// What is planned, in the worker: bytes that are held, or a large file that is read anew whenever it is needed.

import { Outline, plan } from '../tributary_web.js';
import { Answer } from './answer.js';
import { pieces } from './pieces.js';

/** Bytes above which a file is not held. */
const MOST_HELD = 32 << 20;
/** Time between two words about how far a file is read, in ms. */
const PAUSE = 100;

/** The source that fits a text or a file. */
export async function sourceOf(given) {
  if (typeof given === 'string') return new Held(new TextEncoder().encode(given));
  if (given.size > MOST_HELD) return new Streamed(given);
  return new Held(new Uint8Array(await given.arrayBuffer()));
}

/** Both plan in outline: what an entry changes is planned anew for those in sight. */
class Source {
  /** A row of an answer with what its entry changes: that is planned alone. */
  async whole(row, contextOf) {
    if (row.verdict !== 'add' && row.verdict !== 'update') return row;
    const [offset, length] = row.span;
    const alone = new Blob(['[', this.part(offset, offset + length), ']']);
    const planned = plan(new Uint8Array(await alone.arrayBuffer()), contextOf(row.fingerprint));
    const { provider, owners, fields } = new Answer(planned).rows(row.verdict, 0, 1)[0] ?? row;
    return { ...row, provider, owners, fields };
  }
}

class Held extends Source {
  constructor(bytes) {
    super();
    this.bytes = bytes;
    this.size = bytes.length;
  }

  /** The core's answer under a context. */
  async plan(context) {
    return plan(this.bytes, context);
  }

  part(from, to) {
    return this.bytes.subarray(from, to);
  }
}

class Streamed extends Source {
  constructor(file) {
    super();
    this.file = file;
    this.size = file.size;
  }

  /** The same. The file is read twice; `progress` hears how much of that is done, in per cent. */
  async plan(context, { signal, progress = () => {} } = {}) {
    const outline = new Outline(context);
    try {
      for (const before of [0, 50]) {
        const taken = await this.#feed(outline, signal, (part) => progress(Math.floor(before + 50 * part)));
        if (!taken || (before === 0 && !outline.turn())) break;
      }
    } catch (error) {
      outline.free();
      throw error;
    }
    return outline.finish();
  }

  part(from, to) {
    return this.file.slice(from, to);
  }

  /** Gives the file to the outline, piece by piece; whether all of it was taken. */
  async #feed(outline, signal, progress) {
    let [read, said] = [0, performance.now()];
    for await (const piece of pieces(this.file.stream())) {
      signal?.throwIfAborted();
      if (!outline.feed(piece)) return false;
      read += piece.length;
      if (performance.now() - said > PAUSE) {
        said = performance.now();
        progress(read / this.size);
      }
    }
    signal?.throwIfAborted();
    return true;
  }
}
