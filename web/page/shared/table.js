// A table of any length of which only the rows in sight exist. One row has the keyboard's focus; it is never taken away.

/** Tallest area that every browser can scroll, in pixels; a longer table moves by shares of it. */
const TALLEST = 4_000_000;
/** Rows drawn above and below those in sight. */
const SPARE = 6;

export class Table {
  /**
   * `row(at)` gives a row, or undefined while it is on its way; `want(first, last)` is told which rows are in sight, and
   * `came` is called when some of them are there. `draw(node, row)` fills one and `choose(row, byKey)` takes one.
   */
  constructor({ grid, scroller, body, row, want, draw, choose }) {
    Object.assign(this, { grid, scroller, body, row, want, draw, choose });
    this.nodes = new Map();
    this.reset(0);
    scroller.addEventListener('scroll', () => this.#soon());
    new ResizeObserver(() => this.#soon()).observe(scroller);
    body.addEventListener('click', (event) => this.#clicked(event));
    body.addEventListener('keydown', (event) => this.#pressed(event));
  }

  /** Another table of `length` rows. */
  reset(length) {
    this.focused = 0;
    this.chosen = -1;
    this.pending = null;
    for (const node of this.nodes.values()) node.remove();
    this.nodes.clear();
    this.scroller.scrollTop = 0;
    this.length = length;
    this.grid.setAttribute('aria-rowcount', length + 1);
    this.#soon();
  }

  /** Rows that were on their way are there. */
  came(from, number) {
    for (const [at, node] of this.nodes) if (at >= from && at < from + number) this.#fill(node, at);
    if (this.pending !== null && this.row(this.pending)) this.#take(this.pending, false);
  }

  /** Draws everything anew, in another language for example. */
  redraw() {
    for (const [at, node] of this.nodes) this.#fill(node, at);
    this.#soon();
  }

  /** Brings a row into sight, takes it, and focuses it. */
  goTo(at) {
    // Where another number of rows was shown until now, what scrolls has still their height.
    this.#show();
    this.#focus(at);
    this.#take(at, false);
  }

  /** Gives the keyboard back to the row that had it. */
  focusRow() {
    if (this.length > 0) this.#focus(this.focused);
  }

  get rowHeight() {
    return parseFloat(getComputedStyle(this.grid).getPropertyValue('--row')) || 44;
  }

  #soon() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.#show();
    });
  }

  /** Puts the rows in sight where they belong. */
  #show() {
    const height = this.rowHeight;
    const whole = this.length * height;
    this.tall = Math.min(whole, TALLEST);
    this.body.style.height = `${this.tall}px`;
    // Never more rows than a window can show, whatever the style says.
    const view = Math.min(this.scroller.clientHeight, 2 * innerHeight);
    const share = this.tall > view ? this.scroller.scrollTop / (this.tall - view) : 0;
    const top = share * Math.max(0, whole - view);
    const first = Math.max(0, Math.floor(top / height) - SPARE);
    const last = Math.min(this.length, Math.ceil((top + view) / height) + SPARE);
    const wanted = new Set([this.focused].filter((at) => at < this.length));
    for (let at = first; at < last; at++) wanted.add(at);
    for (const [at, node] of this.nodes) {
      if (wanted.has(at)) continue;
      node.remove();
      this.nodes.delete(at);
    }
    for (const at of [...wanted].sort((a, b) => a - b)) {
      const node = this.nodes.get(at) ?? this.#add(at);
      node.style.transform = `translateY(${at * height - top + this.scroller.scrollTop}px)`;
    }
    this.want(first, last);
  }

  #add(at) {
    const node = document.createElement('div');
    node.className = 'row';
    node.setAttribute('role', 'row');
    node.setAttribute('aria-rowindex', at + 2);
    node.dataset.at = at;
    this.nodes.set(at, node);
    const next = [...this.body.children].find((other) => Number(other.dataset.at) > at);
    this.body.insertBefore(node, next ?? null);
    this.#fill(node, at);
    return node;
  }

  #fill(node, at) {
    const row = this.row(at);
    node.tabIndex = at === this.focused ? 0 : -1;
    node.setAttribute('aria-selected', at === this.chosen);
    this.draw(node, row ?? null);
  }

  #clicked(event) {
    const node = event.target.closest('[role="row"]');
    if (!node) return;
    const at = Number(node.dataset.at);
    this.#focus(at);
    this.#take(at, false);
  }

  #pressed(event) {
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.rowHeight) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.length, End: this.length };
    if (event.key === 'Enter' || event.key === ' ') this.#take(this.focused, true);
    else if (event.key in steps) this.#focus(this.focused + steps[event.key]);
    else return;
    event.preventDefault();
  }

  #take(at, byKey) {
    const row = this.row(at);
    // A row that is still on its way is taken when it comes.
    this.pending = row ? null : at;
    if (!row) return;
    this.chosen = at;
    for (const [other, node] of this.nodes) node.setAttribute('aria-selected', other === at);
    const seen = this.#isInSight(at);
    this.choose(row, byKey);
    // What is told of it may leave less room for the rows.
    if (seen) this.#bringIntoSight(at);
    this.#soon();
  }

  #focus(at) {
    const before = this.nodes.get(this.focused);
    this.focused = Math.max(0, Math.min(this.length - 1, at));
    if (before) before.tabIndex = -1;
    this.#bringIntoSight(this.focused);
    this.#show();
    const node = this.nodes.get(this.focused);
    if (!node) return;
    node.tabIndex = 0;
    node.focus({ preventScroll: true });
  }

  /** What is in sight: the height of a row, of all that are in sight, how far it was scrolled, and what part of that the area moves. */
  #sight() {
    const height = this.rowHeight;
    const view = this.scroller.clientHeight;
    const hidden = Math.max(0, this.length * height - view);
    const scale = hidden > 0 ? (this.tall - view) / hidden : 1;
    return { height, view, scale, top: this.scroller.scrollTop / scale };
  }

  /** Whether any of a row is. */
  #isInSight(at) {
    const { height, view, top } = this.#sight();
    return (at + 1) * height > top && at * height < top + view;
  }

  #bringIntoSight(at) {
    const { height, view, scale, top } = this.#sight();
    if (at * height < top) this.scroller.scrollTop = at * height * scale;
    else if ((at + 1) * height > top + view) this.scroller.scrollTop = ((at + 1) * height - view) * scale;
  }
}
