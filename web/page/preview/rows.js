// One row of the plan, in the table and in full.

import { ownersText, stepNode, stepsOf, verdictBadge } from '../shared/change.js';
import { button as anyButton, make } from '../shared/element.js';
import { count, t } from './text.js';

/** Fields whose change is told in the table. */
const TOLD = 3;

/** Fills a row of the table; null while it is on its way. */
export function drawRow(node, row) {
  const cell = (name, ...content) => make('span', { role: 'gridcell', className: name }, ...content);
  if (!row) return node.replaceChildren(cell('index', '…'), cell('kind'), cell('provider'), cell('token'), cell('changes'));
  node.replaceChildren(
    cell('index', row.index === null ? '–' : String(row.index)),
    cell('kind', verdictBadge(row.verdict)),
    cell('provider', row.provider.after ?? row.provider.before ?? '–'),
    cell('token', row.token ?? '–'),
    cell('changes', ...told(row)),
  );
}

/** What changes, short enough for one line. */
function told(row) {
  if (row.verdict === 'skip') return [make('span', { className: 'why' }, reason(row))];
  if (row.verdict === 'unchanged') return [make('span', { className: 'why' }, t('same'))];
  if (row.verdict === 'remove') return [make('span', { className: 'why' }, t('verdict_remove_why'))];
  const steps = stepsOf(row);
  const parts = steps.slice(0, TOLD).map(stepNode);
  const told = [make('span', { className: 'steps' }, ...parts)];
  if (steps.length > TOLD) told.push(make('span', { className: 'why' }, t('more', count(steps.length - TOLD))));
  return told;
}

function reason(row) {
  return t(`skip_${row.reason}`, row.first === null ? '' : String(row.first));
}

/** The chosen row in full: a heading, why, and a table of fields. */
export function details(row, { showInPayload, goToEntry, close }) {
  const title = row.index === null ? t('details_account', row.token, t(`verdict_${row.verdict}`)) : t('details_entry', String(row.index), t(`verdict_${row.verdict}`));
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
  const said = { skip: () => reason(row), unchanged: () => t('same'), remove: () => t('verdict_remove_why'), release: () => t('verdict_release_why') };
  return said[row.verdict]?.() ?? '';
}

function fullSteps(row) {
  if (row.verdict === 'skip' || row.verdict === 'unchanged') return [];
  const whole = row.verdict === 'add' || row.verdict === 'remove';
  if (!whole) return stepsOf(row);
  const named = [
    { name: t('step_provider'), before: row.provider.before, after: row.provider.after },
    { name: t('step_owners'), before: row.owners.before && ownersText(row.owners.before), after: row.owners.after && ownersText(row.owners.after) },
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
