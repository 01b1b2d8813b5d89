// Fields of a change, read from the text in which the core tells them. It needs no document: workers read them, too.

import { elements, members, textOf } from './json.js';

/** Longest text of one value that is kept, in characters. */
const LONGEST = 4000;

/** The fields in the list at `at`, before and after as JSON text: numbers stay as they were written. */
export function fieldsAt(bytes, at) {
  const fields = [];
  elements(bytes, at, (start) => {
    const field = members(bytes, start);
    const shown = (name) => clipped(textOf(bytes, ...field[name]), LONGEST);
    const before = shown('before');
    fields.push({
      name: JSON.parse(textOf(bytes, ...field.name)),
      before: before === 'null' ? null : before,
      after: shown('after'),
    });
  });
  return fields;
}

/** A text, or as much of it as fits. */
export function clipped(text, longest) {
  return text.length > longest ? `${text.slice(0, longest - 2)} …` : text;
}
