// One row of the plan, in the table and in full.

import { button as anyButton, make } from '../shared/element.js';
import { count, t } from './text.js';

/** A mark for each verdict, so that colour alone tells nothing. */
const MARKS = { add: '+', update: '~', unchanged: '=', skip: '⊘', release: '↗', disable: '!', remove: '−' };
/** Fields whose change is told in the table. */
const TOLD = 3;

/** The verdict as a coloured word. */
export function badge(verdict) {
  return make('span', { className: `badge ${verdict}` }, make('span', { 'aria-hidden': 'true' }, MARKS[verdict]), ` ${t(verdict)}`);
}

/** Fills a row of the table; null while it is on its way. */
export function drawRow(node, row) {
  const cell = (name, ...content) => make('span', { role: 'gridcell', className: name }, ...content);
  if (!row) return node.replaceChildren(cell('index', '…'), cell('kind'), cell('provider'), cell('token'), cell('changes'));
  node.replaceChildren(
    cell('index', row.index === null ? '–' : String(row.index)),
    cell('kind', badge(row.verdict)),
    cell('provider', row.provider.after ?? row.provider.before ?? '–'),
    cell('token', row.token ?? '–'),
    cell('changes', ...told(row)),
  );
}

/** What changes, short enough for one line. */
function told(row) {
  if (row.verdict === 'skip') return [make('span', { className: 'why' }, reason(row))];
  if (row.verdict === 'unchanged') return [make('span', { className: 'why' }, t('same'))];
  if (row.verdict === 'remove') return [make('span', { className: 'why' }, t('gone'))];
  const steps = stepsOf(row);
  const parts = steps.slice(0, TOLD).map(({ name, before, after }) =>
    make('span', { className: 'step' },
      make('span', { className: 'name' }, name), ' ',
      ...(before === null ? [] : [make('del', {}, short(before)), ' → ']),
      make('ins', {}, short(after))));
  const told = [make('span', { className: 'steps' }, ...parts)];
  if (steps.length > TOLD) told.push(make('span', { className: 'why' }, t('more', count(steps.length - TOLD))));
  return told;
}

/** Everything that changes: provider and owners where they do, then the fields. */
function stepsOf(row) {
  const steps = row.fields.map((field) => ({ ...field, before: field.before }));
  const { provider, owners } = row;
  if (owners && ownersText(owners.before) !== ownersText(owners.after) && row.verdict !== 'add') {
    steps.unshift({ name: t('field_owners'), before: ownersText(owners.before), after: ownersText(owners.after) });
  }
  if (provider.before !== null && provider.after !== null && provider.before !== provider.after) {
    steps.unshift({ name: t('field_provider'), before: provider.before, after: provider.after });
  }
  return steps;
}

function ownersText(owners) {
  const names = owners ? [...(owners.local ? [t('owner_local')] : []), ...owners.sources] : [];
  return names.join(', ') || t('none');
}

function short(text) {
  return text.length > 40 ? `${text.slice(0, 38)} …` : text;
}

function reason(row) {
  return t(`skip_${row.reason}`, row.first === null ? '' : String(row.first));
}

/** The chosen row in full: a heading, why, and a table of fields. */
export function details(row, { showInPayload, goToEntry, close }) {
  const title = row.index === null ? t('details_account', row.token, t(row.verdict)) : t('details_entry', String(row.index), t(row.verdict));
  return [
    make('div', { className: 'details-head' },
      make('h3', { id: 'details-title' }, title),
      make('span', { className: 'why' }, why(row)),
      ...(row.span ? [button(t('show_in_payload'), showInPayload)] : []),
      ...(row.first === null ? [] : [button(t('show_first', String(row.first)), goToEntry)]),
      button(t('close'), close)),
    ...(fullSteps(row).length > 0 ? [fieldTable(row)] : []),
    ...row.ignored.map((name) => make('p', { className: 'why' }, t('ignored', name))),
  ];
}

function why(row) {
  const said = { skip: () => reason(row), unchanged: () => t('same'), remove: () => t('gone'), release: () => t('released') };
  return said[row.verdict]?.() ?? '';
}

function fullSteps(row) {
  if (row.verdict === 'skip' || row.verdict === 'unchanged') return [];
  const whole = row.verdict === 'add' || row.verdict === 'remove';
  if (!whole) return stepsOf(row);
  const named = [
    { name: t('field_provider'), before: row.provider.before, after: row.provider.after },
    { name: t('field_owners'), before: row.owners.before && ownersText(row.owners.before), after: row.owners.after && ownersText(row.owners.after) },
  ];
  return [...named, ...row.fields];
}

function fieldTable(row) {
  const head = [t('details_field'), t('details_before'), t('details_after')].map((name) => make('th', { scope: 'col' }, name));
  const none = () => make('span', { className: 'none' }, t('none'));
  const lines = fullSteps(row).map(({ name, before, after }) =>
    make('tr', {},
      make('th', { scope: 'row' }, name),
      make('td', {}, before === null ? none() : make('del', {}, before)),
      make('td', {}, after === null ? none() : make('ins', {}, after))));
  return make('div', { className: 'fields', tabIndex: 0, role: 'region', 'aria-label': t('col_changes') },
    make('table', {}, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...lines)));
}

const button = (text, action) => anyButton(text, action, 'button small');
