// The bytes of a file in pieces, all in the same room: a piece's memory is free when the next one is asked for.

/** Bytes of a piece at most. */
const PIECE = 1 << 20;

/** The pieces of a stream of bytes. A piece holds until the next. */
export async function* pieces(stream) {
  const reader = readerOf(stream);
  try {
    let room = new ArrayBuffer(PIECE);
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(room));
      if (done) return;
      yield value;
      room = value.buffer;
    }
  } finally {
    await reader.cancel();
  }
}

/** A browser whose files cannot be read into a given room makes one for each piece, which its collector gives back. */
function readerOf(stream) {
  try {
    return stream.getReader({ mode: 'byob' });
  } catch {
    return stream.getReader();
  }
}
