// What a plan would change: counts, what the guard says, the first changes, and what is not taken or left as it is.

import { stepNode, stepsOf, verdictBadge } from '../shared/change.js';
import { make } from '../shared/element.js';
import { fieldsAt } from '../shared/fields.js';
import { elements, members, textOf } from '../shared/json.js';
import { count, t, word } from '../shared/text.js';
import { listOf } from './list.js';

/** Counts by their names, with the verdict that each counts. */
const COUNTED = [['added', 'add'], ['updated', 'update'], ['unchanged', 'unchanged'], ['released', 'release'], ['disabled', 'disable'], ['removed', 'remove']];

/** The plan in an answer's bytes; the numbers of its changes stay as they were written. */
export function planIn(bytes) {
  const [from, to] = members(bytes, 0).plan;
  const plan = JSON.parse(textOf(bytes, from, to));
  let at = 0;
  elements(bytes, members(bytes, from).changes[0], (start) => {
    const change = plan.changes[at++];
    const { fields } = members(bytes, start);
    Object.assign(change, { verdict: change.change, fields: fields ? fieldsAt(bytes, fields[0]) : [] });
  });
  return plan;
}

/** All parts of a plan; `nameOf` says what a source is called by its id. */
export function planned(plan, nameOf) {
  return [
    ...tally(plan.counts, 'verdict'),
    ...guardSaid(plan),
    ...changesOf(plan, nameOf),
    ...listed('skips', plan.skips, plan.skips_more, skipText),
    ...listed('notes', plan.notes, plan.notes_more, noteText),
    ...leftOf(plan),
  ];
}

/** Counts that are not 0, each a number with the word `KIND_VERDICT`; and a sentence where nothing changes. */
export function tally(counts, kind) {
  const told = COUNTED.filter(([name]) => counts[name] > 0);
  const nothing = told.every(([name]) => name === 'unchanged') ? [make('p', {}, t(`${kind}_nothing`))] : [];
  if (told.length === 0) return nothing;
  const parts = told.map(([name, verdict]) =>
    make('li', { className: verdict }, make('strong', {}, count(counts[name])), ' ', make('span', {}, t(`${kind}_${verdict}`))));
  return [...nothing, make('ul', { className: 'tally', 'aria-label': t('counted') }, ...parts)];
}

/** What the guard said, where it stops a sync or would. */
export function guardSaid({ guard, guarded = true }) {
  if (!guard?.blocked) return [];
  const { owned, would_own: after, most_owned: most, loss, percent, floor, setting } = guard;
  return [make('div', { className: 'callout' },
    make('p', {}, make('strong', {}, t(guarded ? 'guard_blocks' : 'guard_would_block'))),
    make('p', {}, t('guard_said', count(owned), count(after), count(most), count(loss))),
    make('p', { className: 'hint' }, t('guard_set', count(percent), count(floor), setting)))];
}

function changesOf({ changes, changes_more: more }, nameOf) {
  if (changes.length === 0) return [];
  const columns = [
    { name: 'verdict', kind: 'narrow', cell: ({ verdict }) => verdictBadge(verdict) },
    { name: 'token', kind: 'narrow mono', isHead: true, cell: ({ token, fingerprint }) => token ?? fingerprint.slice(0, 12) },
    { name: 'changes', kind: 'wide', cell: (change) => steps(change, nameOf) },
  ];
  return [part('changes', listOf({ label: t('part_changes'), columns, rows: changes, look: 'changes' }), ...moreOf(more))];
}

/** What changes of an account. One that goes is not told field by field. */
function steps(change, nameOf) {
  if (change.verdict === 'remove') return make('span', { className: 'why' }, t('verdict_remove_why'));
  const all = stepsOf(change, nameOf);
  return all.length > 0 ? all.map(stepNode) : make('span', { className: 'why' }, word('verdict', `${change.verdict}_why`));
}

/** What an undo leaves, or left, as it was; `idNode` shows an account's fingerprint. */
export function leftOf({ left, left_more: more }, idNode = (id) => make('span', { className: 'mono' }, id.slice(0, 12))) {
  return listed('left', left, more, ({ fingerprint, reason, error }) => {
    const [, field = ''] = /`(.+)`/.exec(error) ?? [];
    return [idNode(fingerprint), ' ', said('left', reason, error, field)];
  });
}

const skipText = ({ line, index, reason, error }) =>
  [make('span', { className: 'place' }, t('skip_at', count(line), count(index))), ' ', said('skip', reason, error, /\d+/.exec(error)?.[0] ?? '')];

const noteText = ({ code, index = 0, field = '' }) => [word('note', code, count(index), field)];

/** The words for one of the server's reasons; for one that the page does not know, the server's own sentence. */
function said(kind, reason, error, told) {
  const words = word(kind, reason, told);
  return words === reason ? error : words;
}

/** A part that is a list of lines, each of `text(one)`; nothing where there is none. */
function listed(name, all = [], more = 0, text) {
  if (all.length === 0) return [];
  return [part(name, make('ul', { className: 'lines' }, ...all.map((one) => make('li', {}, ...text(one)))), ...moreOf(more))];
}

const moreOf = (more) => (more > 0 ? [make('p', { className: 'hint' }, t('and_more', count(more)))] : []);

/** A part of a view with a heading of its own. */
export const part = (name, ...content) => make('section', { className: 'part' }, make('h3', {}, t(`part_${name}`)), ...content);
