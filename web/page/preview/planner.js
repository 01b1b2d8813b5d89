// The page's side of the worker: one plan at a time, the latest wish wins, and cancelling ends the worker.

/** Time after which a plan under way gives way to a newer wish by ending its worker, in ms. */
const PATIENCE = 400;

export class Planner {
  /** `on` has a function for each kind of message: phase, planned, rows, failed. */
  constructor(on) {
    this.on = on;
    this.id = 0;
    /** The plan that was handed on last. */
    this.shown = 0;
    this.busy = false;
    this.answers = new Map();
    this.#start();
  }

  /** Plans `wish`: `{source, options, key}`. The source goes to the worker only when it is another one. */
  plan(wish) {
    this.wish = wish;
    if (!this.busy) return this.#send();
    // A worker in the middle of a plan hears nothing; one that is quick is worth waiting for.
    clearTimeout(this.impatience);
    this.impatience = setTimeout(() => {
      if (!this.busy) return;
      this.#restart();
      this.#send();
    }, PATIENCE);
    this.next = true;
  }

  /** Ends whatever is under way. */
  cancel() {
    this.next = false;
    clearTimeout(this.impatience);
    this.#restart();
  }

  rows(verdict, from, count) {
    this.worker.postMessage({ kind: 'rows', id: this.id, plan: this.shown, verdict, from, count });
  }

  /** The row of the entry with this index, among all rows. */
  locate(index) {
    return this.#asked({ kind: 'locate', plan: this.shown, index }).then((answer) => answer.row);
  }

  /** The live pool's revision at present. */
  revision(key) {
    return this.#asked({ kind: 'revision', key }).then((answer) => answer.revision);
  }

  #asked(question) {
    const id = `asked-${(this.questions = (this.questions ?? 0) + 1)}`;
    return new Promise((resolve, reject) => {
      this.answers.set(id, { resolve, reject });
      this.worker.postMessage({ ...question, id });
    });
  }

  #send() {
    if (this.broken) this.#restart();
    this.busy = true;
    this.next = false;
    this.id++;
    const { source, options, key } = this.wish;
    const same = this.sent === source;
    this.sent = source;
    this.worker.postMessage({ kind: 'plan', id: this.id, source: same ? null : source, options, key });
  }

  #start() {
    this.worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    this.worker.onmessage = ({ data }) => this.#heard(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.#heard({ kind: 'failed', id: this.id, code: 'broken', message: event.message ?? 'the worker did not start' });
    };
    this.sent = undefined;
    this.busy = false;
    this.broken = false;
  }

  #restart() {
    this.worker.terminate();
    for (const { reject } of this.answers.values()) reject(Object.assign(new Error('cancelled'), { code: 'cancelled' }));
    this.answers.clear();
    this.id++;
    this.#start();
  }

  #heard(message) {
    const waiting = this.answers.get(message.id);
    if (waiting) {
      this.answers.delete(message.id);
      return message.kind === 'failed' ? waiting.reject(message) : waiting.resolve(message);
    }
    if (message.id !== this.id) return;
    if (message.kind === 'planned' || message.kind === 'failed') {
      this.busy = false;
      // What could not be read is given once more.
      if (message.kind === 'failed') this.sent = undefined;
      // A worker that did not start, or has no wasm, never plans.
      if (message.code === 'broken') this.broken = true;
      clearTimeout(this.impatience);
      if (this.next) return this.#send();
      if (message.kind === 'planned') this.shown = message.id;
    }
    this.on[message.kind]?.(message);
  }
}
