// Rows of the plan that the worker gave, in parts; those not looked at for long are forgotten.

/** Rows that are asked for at once, and parts that are kept. */
const PART = 100;
const PARTS_KEPT = 60;

export class Parts {
  /** `ask(from, number)` wants rows, which come through `give`. */
  constructor(ask) {
    this.ask = ask;
    this.clear();
  }

  /** Forgets everything: another plan, or another filter. */
  clear() {
    this.parts = new Map();
  }

  /** Rows that were asked for. */
  give(from, rows) {
    this.parts.set(from, rows);
    if (this.parts.size > PARTS_KEPT) this.parts.delete(this.parts.keys().next().value);
  }

  /** A row; undefined while it is on its way. */
  row(at) {
    const from = at - (at % PART);
    return this.parts.get(from)?.[at - from];
  }

  /** Asks for the rows from `first` to before `last` that are not there. */
  want(first, last) {
    for (let from = first - (first % PART); from < last; from += PART) {
      if (this.parts.has(from)) continue;
      this.parts.set(from, []);
      this.ask(from, PART);
    }
  }
}
