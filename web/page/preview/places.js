// Places in a payload: the core counts bytes of UTF-8, an editor counts units of UTF-16, a person counts lines.

/** How many bytes of UTF-8 the code unit `unit` stands for; a surrogate is half of a pair's four. */
function bytesOf(unit) {
  if (unit < 0x80) return 1;
  if (unit < 0x800) return 2;
  return unit >= 0xd800 && unit < 0xe000 ? 2 : 3;
}

/** The UTF-16 offsets of a span of bytes `[offset, length]` in `text`. */
export function inText(text, [offset, length]) {
  const start = unitsFor(text, 0, offset);
  return [start, unitsFor(text, start, length)];
}

/** The offset `bytes` bytes after the offset `from`. */
function unitsFor(text, from, bytes) {
  let at = from;
  for (let left = bytes; left > 0 && at < text.length; at++) left -= bytesOf(text.charCodeAt(at));
  return at;
}

/** The line and column of an offset, both from 1, the line's own text and the end of what stands before it. */
export function lineAt(text, offset) {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < start; at = text.indexOf('\n', at + 1)) line++;
  const before = text.slice(start, offset);
  const earlier = text.slice(Math.max(0, start - 200), Math.max(0, start - 1)).split('\n').slice(-2);
  return { line, column: [...before].length + 1, before, text: text.slice(start, end < 0 ? text.length : end), earlier };
}

/** How many lines a text has up to an offset, counted from 0. */
export function linesBefore(text, offset) {
  return lineAt(text, offset).line - 1;
}

/** The bytes `[from, to)` of `blob` as text, cut between characters. */
export async function textOfBlob(blob, from, to) {
  const bytes = new Uint8Array(await blob.slice(from, to).arrayBuffer());
  const inside = (byte) => (byte & 0xc0) === 0x80;
  let start = 0;
  let end = bytes.length;
  if (from > 0) while (start < Math.min(3, end) && inside(bytes[start])) start++;
  for (let back = 1; to < blob.size && back <= 3 && back <= end; back++) {
    const byte = bytes[end - back];
    if (!inside(byte)) {
      if (byte >= 0xc0) end -= back;
      break;
    }
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(start, end));
}
