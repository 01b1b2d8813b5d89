// Long lists page by page: filters above, the way on below. Both live in the address, so that reload and back work.

import { make } from '../shared/element.js';
import { count, t } from '../shared/text.js';
import { deed, nothing } from './list.js';
import { address, go } from './route.js';
import { isDrawing } from './view.js';

/** Rows of a page. */
export const PAGE = 100;

/** What stands in place of rows: nothing fits, a page is empty by now, or there is nothing at all, as `text` says. */
export function noRows(query, text) {
  if (query.after) return nothing(t('page_empty'));
  return nothing(t(isFiltered(query) ? 'no_matches' : text));
}

/** The page from which each other was reached, by their addresses. */
const earlier = new Map();

/** Forgets them. */
export const forgetPages = () => earlier.clear();

/** What of a query chooses rows, without the page. */
function filtersOf({ page, after, ...filters }) {
  return filters;
}

/** Whether a query chooses rows. */
export const isFiltered = (query) => Object.keys(filtersOf(query)).length > 0;

/**
 * The filters of a view. Each has a `name`, whose label is the text `filter_NAME`, and `options` (value and text) to choose
 * from, or none: then it is typed, with `known` values to pick and a `hint`.
 */
export function filterBar(view, query, filters) {
  const boxes = filters.map((filter) => box(filter, query[filter.name] ?? ''));
  const apply = () => go(address(view, Object.fromEntries(boxes.map(({ name, input }) => [name, input.value.trim()]))));
  const form = make('form', { className: 'filter-bar', role: 'search', noValidate: true, 'aria-label': t('filters') }, ...boxes.map(({ node }) => node));
  const now = make('button', { type: 'submit', className: 'button', 'data-key': 'filter-now' }, t('filter_now'));
  form.append(now);
  if (isFiltered(query)) form.append(deed('clear_filters', () => go(address(view)), 'quiet'));
  form.addEventListener('change', () => isDrawing() || apply());
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    apply();
  });
  return form;
}

function box({ name, options, known = [], hint = '' }, value) {
  const id = `filter-${name}`;
  const label = make('label', { htmlFor: id }, t(`filter_${name}`));
  if (options) {
    const all = options.some(([one]) => one === value) ? options : [...options, [value, value]];
    const input = make('select', { id, autocomplete: 'off', 'data-key': id }, ...all.map(([one, text]) => make('option', { value: one }, text)));
    input.value = value;
    return { name, input, node: make('div', { className: 'field' }, label, input) };
  }
  const input = make('input', { id, type: 'search', autocomplete: 'off', spellcheck: false, enterKeyHint: 'search', defaultValue: value, placeholder: hint, 'data-key': id });
  const picks = make('datalist', { id: `${id}-known` }, ...known.map((one) => make('option', { value: one })));
  if (known.length > 0) input.setAttribute('list', picks.id);
  return { name, input, node: make('div', { className: `field ${name}` }, label, input, picks) };
}

/** The way to the other pages, and which rows these are. `total` is told where the server tells it. */
export function pager(view, query, { items, next, total = null }) {
  const at = Number(query.page) || 1;
  const first = (at - 1) * PAGE + 1;
  const last = first + items.length - 1;
  const here = address(view, query);
  const onward = address(view, { ...query, page: at + 1, after: next });
  const back = earlier.get(here) ?? address(view, filtersOf(query));
  const buttons = [];
  if (at > 1) buttons.push(deed(earlier.has(here) ? 'page_before' : 'page_first', () => go(back)));
  if (next) {
    earlier.set(onward, here);
    buttons.push(deed('page_next', () => go(onward)));
  }
  const rows = items.length === 0 ? '' : t(total === null ? 'rows' : 'rows_of', count(first), count(last), total === null ? '' : count(total));
  return make('div', { className: 'pager' }, make('p', { className: 'hint' }, rows), make('div', { className: 'tools' }, ...buttons));
}
