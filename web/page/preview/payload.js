// The payload: text in the editor, or a file that is held beside it because it is large or no text.

import { byId, make } from '../shared/element.js';
import { inText, lineAt, linesBefore, textOfBlob } from './places.js';
import { count, size, t } from './text.js';

/** Bytes above which a payload stays out of the editor. */
const MOST_EDITED = 1_000_000;
/** Bytes of a held payload that are shown around a span, and of the span itself. */
const AROUND = 1_500;
const MOST_MARKED = 20_000;

export class Payload {
  /** `changed` is called when there is another payload. */
  constructor(changed) {
    this.changed = changed;
    this.area = byId('text');
    this.blob = null;
    this.marked = null;
    this.lines = 1;
    this.area.addEventListener('input', () => this.#edited());
    this.area.addEventListener('paste', (event) => this.#pasted(event));
    this.area.addEventListener('scroll', () => this.#follow());
    new ResizeObserver(() => this.#follow()).observe(this.area);
    this.#follow();
  }

  /** What the worker plans from: a text, or a file. */
  get source() {
    return this.blob ?? this.area.value;
  }

  get isEmpty() {
    return (this.blob ? this.blob.size : this.area.value.trim().length) === 0;
  }

  /** Takes a file: into the editor when it is a text of ordinary size. */
  async take(blob, name = '') {
    const taking = Symbol(name);
    this.taking = taking;
    const text = blob.size > MOST_EDITED ? null : await asText(blob);
    // Another may have been taken meanwhile.
    if (this.taking !== taking) return;
    if (text === null) this.#hold(blob, name);
    else this.write(text);
  }

  /** Puts a text into the editor. */
  write(text) {
    this.taking = null;
    this.#release();
    this.area.value = text;
    this.area.scrollTop = this.area.scrollLeft = 0;
    this.mark(null);
    this.#measure();
    this.changed();
  }

  /** Marks a span `[offset, length]` in bytes and brings it into sight, unless somebody is writing; null marks nothing. */
  async mark(span, kind = 'chosen', focus = false) {
    this.marked = span && { span, kind };
    if (this.blob) return this.#window(focus);
    if (!span) return this.#band(null);
    const [start, end] = inText(this.area.value, span);
    this.#band([start, end], kind);
    // The next letter would go where the selection is.
    if (document.activeElement === this.area && !focus) return;
    this.area.setSelectionRange(start, end);
    this.#reveal();
    if (focus) this.area.focus({ preventScroll: true });
  }

  /** Where a byte offset is, for people; null in a held payload. */
  lineOf(offset) {
    if (this.blob) return null;
    return lineAt(this.area.value, inText(this.area.value, [offset, 0])[0]);
  }

  /** Writes the words that depend on the language. */
  speak() {
    byId('held-name').textContent = this.name || t('payload');
    this.#measure();
  }

  #edited() {
    this.taking = null;
    this.#band(null);
    this.marked = null;
    const text = this.area.value;
    if (text.length > MOST_EDITED / 3 && new Blob([text]).size > MOST_EDITED) return this.#hold(new Blob([text]), '');
    this.#measure();
    this.changed();
  }

  #pasted(event) {
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (text.length <= MOST_EDITED) return;
    event.preventDefault();
    this.#hold(new Blob([text]), '');
  }

  #hold(blob, name) {
    Object.assign(this, { blob, name, taking: null });
    this.area.value = '';
    byId('editor').hidden = true;
    byId('held').hidden = false;
    this.mark(null);
    this.speak();
    this.changed();
  }

  #release() {
    this.blob = null;
    byId('editor').hidden = false;
    byId('held').hidden = true;
  }

  #measure() {
    this.lines = linesBefore(this.area.value, this.area.value.length) + 1;
    const lines = this.blob ? '' : ` · ${t('lines', count(this.lines))}`;
    const bytes = this.blob ? this.blob.size : new Blob([this.area.value]).size;
    byId('size').textContent = size(bytes) + lines;
    this.#follow();
  }

  /** Draws the marked lines behind the text: the same letters in the same font, so that they lie under it exactly. */
  #band(range, kind) {
    const band = byId('band');
    band.hidden = !range;
    if (!range) return band.replaceChildren();
    const text = this.area.value;
    const { line, before } = lineAt(text, range[0]);
    const marked = text.slice(range[0], Math.min(range[1], range[0] + MOST_MARKED)) || ' ';
    band.replaceChildren(before, make('mark', { className: kind }, marked));
    this.bandLine = line - 1;
    this.#follow();
  }

  /** Scrolls the editor to what is marked. */
  #reveal() {
    const { area } = this;
    const mark = byId('band').firstElementChild;
    if (!mark) return;
    const top = this.bandLine * this.#lineHeight();
    if (top < area.scrollTop || top > area.scrollTop + area.clientHeight - 3 * this.#lineHeight()) {
      area.scrollTop = Math.max(0, top - area.clientHeight / 3);
    }
    const left = mark.getClientRects()[0].left - byId('band').getBoundingClientRect().left;
    if (left < area.scrollLeft || left > area.scrollLeft + area.clientWidth - 80) {
      area.scrollLeft = Math.max(0, left - 40);
    }
    this.#follow();
  }

  #lineHeight() {
    return parseFloat(getComputedStyle(this.area).lineHeight);
  }

  /** Keeps line numbers and the marked lines beside and behind the text as it scrolls. */
  #follow() {
    const { area } = this;
    const height = this.#lineHeight();
    if (!(height > 0)) return;
    if (this.bandLine !== undefined) {
      byId('band').style.transform = `translate(${-area.scrollLeft}px, ${this.bandLine * height - area.scrollTop}px)`;
    }
    const first = Math.floor(area.scrollTop / height);
    const last = Math.min(this.lines, first + Math.ceil(area.clientHeight / height) + 1);
    const gutter = byId('gutter');
    gutter.textContent = Array.from({ length: Math.max(0, last - first) }, (_, n) => first + n + 1).join('\n');
    gutter.style.transform = `translateY(${first * height - area.scrollTop}px)`;
  }

  /** Shows the part of a held payload around what is marked, or its beginning. */
  async #window(focus) {
    const { blob } = this;
    const [offset, length] = this.marked?.span ?? [0, 0];
    const end = Math.min(blob.size, offset + Math.min(length, MOST_MARKED));
    const read = (from, to) => textOfBlob(blob, Math.max(0, from), Math.min(blob.size, to));
    const parts = await Promise.all([read(offset - AROUND, offset), read(offset, end), read(end, end + AROUND)]);
    if (blob !== this.blob) return;
    const view = byId('window');
    const mark = this.marked ? make('mark', { className: this.marked.kind }, parts[1] || ' ') : parts[1];
    view.replaceChildren(offset > AROUND ? '… ' : '', parts[0], mark, parts[2], end + AROUND < blob.size ? ' …' : '');
    if (this.marked) view.scrollTop = mark.offsetTop - view.clientHeight / 3;
    if (focus) view.focus({ preventScroll: true });
  }
}

/** The text of a file, its byte order mark included; null when it is no UTF-8. */
async function asText(blob) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await blob.arrayBuffer());
  } catch {
    return null;
  }
}
