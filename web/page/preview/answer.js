// An answer of the core, kept as bytes: rows are found by their place in it and read when they are shown.

import { fieldsAt } from '../shared/fields.js';
import { elements, endOf, members, textOf, walk } from '../shared/json.js';

/** What can become of an entry or an account, in the order of the filter. */
export const VERDICTS = ['add', 'update', 'unchanged', 'skip', 'release', 'disable', 'remove'];

/** The first letter of `index`. */
const INDEX = 105;

/** A plan, or a refusal; `refusal` is null for a plan, and `hash` names it where that was asked for. */
export class Answer {
  constructor(bytes, providerOf = () => null) {
    this.bytes = bytes;
    this.providerOf = providerOf;
    this.refusal = null;
    this.hash = null;
    walk(bytes, 0, (name, at) => {
      if (name === 'plan') return this.#index(at);
      const end = endOf(bytes, at);
      this.refusal = JSON.parse(textOf(bytes, at, end));
      return end;
    });
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

  /** Reads the plan at `at` in one go; where it ends. Accounts that go come first, because they cannot be undone. */
  #index(at) {
    const { bytes } = this;
    const departures = [];
    const [arrivals, unchanged, skips] = [[], [], []];
    const read = (start) => JSON.parse(textOf(bytes, start, endOf(bytes, start)));
    const visitors = {
      counts: (start) => { this.counts = read(start); },
      shape: (start) => { this.shape = read(start); },
      plan_hash: (start) => { this.hash = read(start); },
      changes: (start) => elements(bytes, start, (change) => this.#change(change, departures, arrivals)),
      // `{"index":…` comes first in both.
      unchanged: (start) => elements(bytes, start, (one) => unchanged.push([one, 2, numberAt(bytes, one + 9)])),
      skips: (start) => elements(bytes, start, (one) => skips.push([one, 3, numberAt(bytes, one + 9)])),
      notes: (start) => this.#notes(start),
    };
    let end = at;
    walk(bytes, at, (name, start) => (end = visitors[name]?.(start) ?? endOf(bytes, start)));
    this.departures = departures.length;
    const rows = [...departures, ...merged([arrivals, unchanged, skips])];
    this.starts = Float64Array.from(rows, (row) => row[0]);
    this.verdicts = Uint8Array.from(rows, (row) => row[1]);
    this.entries = Int32Array.from(rows, (row) => row[2]);
    return end + 1;
  }

  /** `{"change":"…"` comes first, then `,"index":…` where an entry brings the change about. */
  #change(start, departures, arrivals) {
    const { bytes } = this;
    const quote = bytes.indexOf(34, start + 11);
    const verdict = VERDICTS.indexOf(textOf(bytes, start + 11, quote));
    if (bytes[quote + 3] === INDEX) arrivals.push([start, verdict, numberAt(bytes, quote + 10)]);
    else departures.push([start, verdict, -1]);
  }

  /** What else is worth saying: of the whole payload, and of entries by their index. Where the list ends. */
  #notes(at) {
    this.notes = [];
    this.ignored = new Map();
    return elements(this.bytes, at, (start, end) => {
      const note = JSON.parse(textOf(this.bytes, start, end));
      if (note.index === undefined) this.notes.push(note.code);
      else if (this.ignored.has(note.index)) this.ignored.get(note.index).push(note.field);
      else this.ignored.set(note.index, [note.field]);
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
      fingerprint: value('fingerprint'),
      token: value('token'),
      provider,
      owners: value('owners'),
      fields: found.fields ? fieldsAt(bytes, found.fields[0]) : [],
      reason: value('reason'),
      first: value('first'),
      ignored: this.ignored.get(entry) ?? [],
    };
  }
}

/** The whole number whose digits begin at `at`. */
function numberAt(bytes, at) {
  let number = 0;
  for (let i = at; bytes[i] >= 48 && bytes[i] <= 57; i++) number = number * 10 + bytes[i] - 48;
  return number;
}

/** Rows of lists that are each in the order of their entries, in that order. */
function merged(lists) {
  const rows = lists.flat();
  return rows.sort((a, b) => a[2] - b[2]);
}
