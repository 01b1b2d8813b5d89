// A list as a table of columns; on a phone each row is a card whose parts say what they are.

import { button, make } from '../shared/element.js';
import { t } from '../shared/text.js';

/**
 * The table of `rows`. A column has a `name`, whose title is the text `col_NAME` unless it has a `title()`, and `cell(row)`
 * gives what stands in it: a text, a node or a list of both. `kind` says how it looks: `name`, `number`, `mono`, `narrow`, `who`, `wide`,
 * `actions`. The one that `isHead` names its row. `look` is that of the whole list.
 */
export function listOf({ label, columns, rows, look = '', isChosen = () => false }) {
  const titles = columns.map((column) => column.title?.() ?? t(`col_${column.name}`));
  const head = columns.map((column, at) => make('th', { role: 'columnheader', scope: 'col', className: column.kind ?? '' }, titles[at]));
  return make('table', { className: `list ${look}`, role: 'table', 'aria-label': label },
    make('thead', { role: 'rowgroup' }, make('tr', { role: 'row' }, ...head)),
    make('tbody', { role: 'rowgroup' }, ...rows.map((row) => line(columns, titles, row, isChosen(row)))));
}

function line(columns, titles, row, chosen) {
  const cells = columns.map((column, at) => {
    const content = [column.cell(row)].flat().map((part) => (part instanceof Node ? part : String(part ?? '')));
    const name = column.isHead ? 'th' : 'td';
    const cell = make(name, { role: column.isHead ? 'rowheader' : 'cell', className: column.kind ?? '', ...(column.isHead ? { scope: 'row' } : {}) }, ...content);
    // Read by the style sheet, where there is no room for a head above.
    if (typeof titles[at] === 'string') cell.dataset.title = titles[at];
    return cell;
  });
  return make('tr', { role: 'row', className: chosen ? 'chosen' : '' }, ...cells);
}

/** A button whose text is that of `name`, and to which the keyboard comes back when it is drawn anew. */
export function deed(name, action, look = '') {
  const node = button(t(name), action, `button ${look}`);
  node.dataset.key = name;
  return node;
}

/** A button about one thing of a list: its name begins with what it shows and ends with that thing. */
export function about(text, thing, key, action, more = '') {
  const node = button(text, action, `button small ${more}`);
  node.setAttribute('aria-label', `${text} ${thing}`);
  node.dataset.key = key;
  return node;
}

/** A coloured word; `kind` is one of the sheet's. */
export const badge = (text, kind = '') => make('span', { className: `badge ${kind}` }, text);

/** Whether something is let in or asked, as a word. */
export const stateBadge = (enabled) => badge(t(enabled ? 'enabled' : 'disabled'), enabled ? 'good' : '');

/** The head of a view: its title, what it is about, and its buttons. */
export function headOf(name, hint, ...buttons) {
  return make('div', { className: 'view-head' },
    make('div', {}, make('h2', { id: 'view-title' }, t(`view_${name}`)), make('p', { className: 'hint' }, hint)),
    make('div', { className: 'tools' }, ...buttons));
}

/** What stands in place of a list without rows. */
export const nothing = (text) => make('p', { className: 'empty' }, text);
