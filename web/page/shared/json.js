// Walks JSON text as bytes, so that numbers stay the text they are and nothing is built that nobody looks at.
// The text is what the core or the server wrote: valid, and without white space.

const QUOTE = 34, COMMA = 44, BACKSLASH = 92, OPEN_LIST = 91, CLOSE_LIST = 93, OPEN = 123, CLOSE = 125;
const decoder = new TextDecoder();

/** The text of bytes `from` to `to`. */
export function textOf(bytes, from, to) {
  return decoder.decode(bytes.subarray(from, to));
}

/** Where the value that begins at `at` ends. */
export function endOf(bytes, at) {
  const first = bytes[at];
  if (first === QUOTE) return endOfString(bytes, at);
  if (first !== OPEN && first !== OPEN_LIST) return endOfPlain(bytes, at);
  let depth = 0;
  for (let i = at; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) i = endOfString(bytes, i) - 1;
    else if (byte === OPEN || byte === OPEN_LIST) depth++;
    else if ((byte === CLOSE || byte === CLOSE_LIST) && --depth === 0) return i + 1;
  }
  throw new Error('text ends inside a value');
}

function endOfString(bytes, at) {
  let end = at + 1;
  for (let byte = bytes[end]; byte !== QUOTE; byte = bytes[++end]) {
    if (byte === BACKSLASH) end++;
    else if (byte === undefined) throw new Error('text ends inside a string');
  }
  return end + 1;
}

function endOfPlain(bytes, at) {
  let end = at;
  while (end < bytes.length && bytes[end] !== COMMA && bytes[end] !== CLOSE && bytes[end] !== CLOSE_LIST) end++;
  return end;
}

/** Calls `each(start, end)` for the elements of the list at `at`; where the list ends. */
export function elements(bytes, at, each) {
  let i = at + 1;
  while (bytes[i] !== CLOSE_LIST) {
    const end = endOf(bytes, i);
    each(i, end);
    i = bytes[end] === COMMA ? end + 1 : end;
  }
  return i + 1;
}

/** Walks the members of the object at `at` once: `visit(name, start)` reads a value and says where it ends, or says nothing. */
export function walk(bytes, at, visit) {
  let i = at + 1;
  while (bytes[i] !== CLOSE) {
    const name = endOfString(bytes, i);
    const end = visit(textOf(bytes, i + 1, name - 1), name + 1) ?? endOf(bytes, name + 1);
    i = bytes[end] === COMMA ? end + 1 : end;
  }
}

/** The members of the object at `at`: name → [start, end]. */
export function members(bytes, at) {
  const found = {};
  walk(bytes, at, (name, start) => {
    const end = endOf(bytes, start);
    found[name] = [start, end];
    return end;
  });
  return found;
}
