// An answer of the core, kept as bytes: rows are found by their place in it and read when they are shown.

import { elements, members, textOf } from './json.js';

/** What can become of an entry or an account, in the order of the filter. */
export const VERDICTS = ['add', 'update', 'unchanged', 'skip', 'release', 'disable', 'remove'];

/** Longest text of one value that is shown, in characters. */
const LONGEST = 4000;

/** A plan, or a refusal; `refusal` is null for a plan. */
export class Answer {
  constructor(bytes, providerOf = () => null) {
    this.bytes = bytes;
    this.providerOf = providerOf;
    const whole = members(bytes, 0);
    this.refusal = whole.refusal ? JSON.parse(textOf(bytes, ...whole.refusal)) : null;
    if (this.refusal) return;
    const plan = members(bytes, whole.plan[0]);
    this.counts = JSON.parse(textOf(bytes, ...plan.counts));
    this.shape = JSON.parse(textOf(bytes, ...plan.shape));
    this.#index(plan);
    this.#notes(plan.notes[0]);
    this.filtered = new Map();
  }

  /** How many rows there are of each verdict. */
  tally() {
    const tally = Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0]));
    for (const verdict of this.verdicts) tally[VERDICTS[verdict]]++;
    return tally;
  }

  /** The fingerprints of all accounts that the payload names, without repeats. */
  fingerprints() {
    const found = [];
    for (let row = 0; row < this.starts.length; row++) {
      const fingerprint = members(this.bytes, this.starts[row]).fingerprint;
      if (fingerprint) found.push(textOf(this.bytes, fingerprint[0] + 1, fingerprint[1] - 1));
    }
    return found;
  }

  /** Rows `from` to `from + count` of those with `verdict`, or of all. */
  rows(verdict, from, count) {
    const rows = this.#rowsWith(verdict);
    const last = Math.min(rows.length, from + count);
    const read = [];
    for (let at = Math.max(0, from); at < last; at++) read.push(this.#read(rows[at]));
    return read;
  }

  /** The row, among all, of the entry with this index; -1 when there is none. */
  rowOf(index) {
    let [low, high] = [this.departures, this.entries.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (this.entries[middle] === index) return middle;
      if (this.entries[middle] < index) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Accounts that go come first, because they cannot be undone; then the entries in their order. */
  #index(plan) {
    const { bytes } = this;
    const departures = [];
    const lists = [[], [], []];
    elements(bytes, plan.changes[0], (start) => {
      const change = members(bytes, start);
      const verdict = VERDICTS.indexOf(textOf(bytes, change.change[0] + 1, change.change[1] - 1));
      const entry = change.index ? Number(textOf(bytes, ...change.index)) : -1;
      (entry < 0 ? departures : lists[0]).push([start, verdict, entry]);
    });
    for (const [list, name, verdict] of [[lists[1], 'unchanged', 2], [lists[2], 'skips', 3]]) {
      elements(bytes, plan[name][0], (start) => {
        // `{"index":` comes first in both.
        const digits = textOf(bytes, start + 9, bytes.indexOf(44, start));
        list.push([start, verdict, Number(digits)]);
      });
    }
    this.departures = departures.length;
    const rows = [...departures, ...merged(lists)];
    this.starts = Float64Array.from(rows, (row) => row[0]);
    this.verdicts = Uint8Array.from(rows, (row) => row[1]);
    this.entries = Int32Array.from(rows, (row) => row[2]);
  }

  /** What else is worth saying: of the whole payload, and of entries by their index. */
  #notes(at) {
    this.notes = [];
    this.ignored = new Map();
    elements(this.bytes, at, (start, end) => {
      const note = JSON.parse(textOf(this.bytes, start, end));
      if (note.index === undefined) this.notes.push(note.code);
      else this.ignored.set(note.index, [...(this.ignored.get(note.index) ?? []), note.field]);
    });
  }

  #rowsWith(verdict) {
    if (!this.filtered.has(verdict)) {
      const wanted = VERDICTS.indexOf(verdict);
      const all = Uint32Array.from(this.verdicts, (_, row) => row);
      this.filtered.set(verdict, wanted < 0 ? all : all.filter((row) => this.verdicts[row] === wanted));
    }
    return this.filtered.get(verdict);
  }

  #read(row) {
    const { bytes } = this;
    const found = members(bytes, this.starts[row]);
    const value = (name) => (found[name] ? JSON.parse(textOf(bytes, ...found[name])) : null);
    const entry = this.entries[row];
    const provider = value('provider') ?? { before: null, after: null };
    if (VERDICTS[this.verdicts[row]] === 'unchanged') {
      provider.before = provider.after = this.providerOf(value('fingerprint'));
    }
    return {
      verdict: VERDICTS[this.verdicts[row]],
      index: entry < 0 ? null : entry,
      span: value('span'),
      token: value('token'),
      provider,
      owners: value('owners'),
      fields: found.fields ? this.#fields(found.fields[0]) : [],
      reason: value('reason'),
      first: value('first'),
      ignored: this.ignored.get(entry) ?? [],
    };
  }

  #fields(at) {
    const fields = [];
    elements(this.bytes, at, (start) => {
      const field = members(this.bytes, start);
      const shown = (name) => clipped(textOf(this.bytes, ...field[name]));
      const before = shown('before');
      fields.push({
        name: JSON.parse(textOf(this.bytes, ...field.name)),
        before: before === 'null' ? null : before,
        after: shown('after'),
      });
    });
    return fields;
  }
}

function clipped(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text;
}

/** Rows of lists that are each in the order of their entries, in that order. */
function merged(lists) {
  const rows = lists.flat();
  return rows.sort((a, b) => a[2] - b[2]);
}
