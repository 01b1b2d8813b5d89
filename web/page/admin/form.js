// Fields of a dialog, told as data, and the JSON text of what was put into them.

import { make } from '../shared/element.js';
import { t } from '../shared/text.js';
import { Mistake } from './session.js';

/** The largest whole number that the pool keeps. */
const LARGEST = Number.MAX_SAFE_INTEGER;

/** How a field of each kind is made of its value, and what JSON text it holds; null stands for nothing. */
const KINDS = {
  text: (field, value) => typed('text', value ?? '', (text) => (text || field.clears ? JSON.stringify(text) : null)),
  number: (field, value) => typed('text', value ?? '', (text) => wholeNumber(field, text), { inputMode: 'numeric', placeholder: field.empty ? t(field.empty) : '' }),
  secret: (field, value) => secret(field, value),
  choice: ({ options }, value) => {
    const input = make('select', { autocomplete: 'off' }, ...options.map((one) => make('option', { value: one }, t(`choice_${one || 'none'}`))));
    input.value = value ?? options[0];
    return { input, json: () => JSON.stringify(input.value) };
  },
  flag: (field, value) => {
    const input = make('input', { type: 'checkbox', autocomplete: 'off', checked: value === true });
    return { input, json: () => String(input.checked) };
  },
  json: (field, value) => {
    const input = make('textarea', { rows: 3, spellcheck: false, autocomplete: 'off', value: value ?? '' });
    return { input, json: () => jsonList(field, input.value.trim()) };
  },
};

/**
 * The fields with `values`, by name. A field has a `name` and a `kind`; its label is the text `field_NAME`, and `hint` adds
 * the text `hint_NAME`. What is `needed` cannot be left empty, what is `kept` cannot be emptied once it is set, what `clears`
 * may be sent empty (a number as null, which the text `empty` explains), and `known` values can be picked.
 */
export function formOf(fields, values = {}) {
  const made = fields.map((field) => draw(field, values[field.name]));
  const before = made.map(held);
  return {
    nodes: made.map(({ node }) => node),
    first: made[0].input,
    /** The fields as JSON text by name: all that hold something, or those that changed. */
    texts: ({ changed = false } = {}) => {
      const texts = made.map((one, at) => [one.name, changed && held(one) === before[at] ? null : checked(one)]);
      return texts.filter(([, text]) => text !== null);
    },
  };
}

/** A JSON object of members with their JSON texts. */
export const objectText = (members) => `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;

function draw(field, value) {
  const part = KINDS[field.kind](field, value);
  const { input } = part;
  const isSet = value !== undefined && value !== null && value !== '';
  input.id = `field-${field.name}`;
  const hint = field.hint ? make('p', { className: 'hint', id: `${input.id}-hint` }, t(`hint_${field.name}`)) : null;
  if (hint) input.setAttribute('aria-describedby', hint.id);
  if (field.needed) input.required = true;
  const label = make('label', { htmlFor: input.id }, t(`field_${field.name}`));
  const inside = field.kind === 'flag' ? [make('div', { className: 'flag' }, input, label), hint] : [label, input, hint, part.below ?? null, picks(field, input)];
  return { ...field, ...part, isSet, node: make('div', { className: `field ${field.wide ? 'whole' : ''}` }, ...inside) };
}

function picks({ known }, input) {
  if (!known) return null;
  const list = make('datalist', { id: `${input.id}-known` }, ...known.map((one) => make('option', { value: one })));
  input.setAttribute('list', list.id);
  return list;
}

function typed(type, value, json, more = {}) {
  const input = make('input', { type, autocomplete: 'off', spellcheck: false, autocapitalize: 'off', value: String(value), ...more });
  return { input, json: () => json(input.value.trim()) };
}

/** A secret is written and never read: empty keeps what is stored, which a box takes away. */
function secret({ name }, stored) {
  const input = make('input', { type: 'password', autocomplete: 'new-password', spellcheck: false });
  if (!stored) return { input, json: () => (input.value ? JSON.stringify(input.value) : null) };
  input.placeholder = t('secret_kept');
  const gone = make('input', { type: 'checkbox', autocomplete: 'off' });
  gone.addEventListener('change', () => { input.disabled = gone.checked; });
  const below = make('label', { className: 'flag' }, gone, t('secret_remove', t(`field_${name}`)));
  return { input, below, json: () => (gone.checked ? '""' : input.value ? JSON.stringify(input.value) : null) };
}

function wholeNumber(field, text) {
  if (text === '') return field.clears ? 'null' : null;
  const { least = 0, most = LARGEST } = field;
  if (/^\d+$/.test(text) && Number(text) >= least && Number(text) <= most) return String(Number(text));
  throw new Mistake(t(field.most ? 'must_be_between' : 'must_be_number', t(`field_${field.name}`), String(least), String(most)));
}

function jsonList(field, text) {
  if (text === '') return null;
  try {
    if (Array.isArray(JSON.parse(text))) return text;
  } catch {
    // Said below.
  }
  throw new Mistake(t('must_be_list', t(`field_${field.name}`)));
}

/** What a field holds, or what was typed where that cannot be sent, as a number that another program has set. */
function held({ json, input }) {
  try {
    return json();
  } catch {
    return input.value;
  }
}

/** What a field holds, or why it cannot be sent; the keyboard goes there then. */
function checked(field) {
  field.input.removeAttribute('aria-invalid');
  try {
    const text = field.json();
    if (text === null && field.needed) throw new Mistake(t('is_needed', t(`field_${field.name}`)));
    if (text === null && field.kept && field.isSet) throw new Mistake(t('stays_set', t(`field_${field.name}`)));
    return text;
  } catch (error) {
    field.input.setAttribute('aria-invalid', true);
    field.input.addEventListener('input', () => field.input.removeAttribute('aria-invalid'), { once: true });
    field.input.focus();
    throw error;
  }
}
