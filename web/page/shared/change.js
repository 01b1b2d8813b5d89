// One change of a plan, as the core tells it: its verdict as a coloured word, and what becomes of each field.

import { make } from './element.js';
import { clipped } from './fields.js';
import { t } from './text.js';

/** A mark for each verdict, so that colour alone tells nothing. */
const MARKS = { add: '+', update: '~', unchanged: '=', skip: '⊘', release: '↗', disable: '!', remove: '−' };
/** Longest text of a value that stands in a line, in characters. */
const SHORT = 40;

/** The verdict as a coloured word. */
export function verdictBadge(verdict) {
  return make('span', { className: `badge ${verdict}` }, make('span', { 'aria-hidden': 'true' }, MARKS[verdict]), ` ${t(`verdict_${verdict}`)}`);
}

/** Everything that changes: provider and owners where they do, then the fields. `nameOf` says what a source is called. */
export function stepsOf({ verdict, provider, owners, fields }, nameOf) {
  const steps = [...fields];
  if (owners && ownersText(owners.before, nameOf) !== ownersText(owners.after, nameOf) && verdict !== 'add') {
    steps.unshift({ name: t('step_owners'), before: ownersText(owners.before, nameOf), after: ownersText(owners.after, nameOf) });
  }
  if (provider && provider.before !== null && provider.after !== null && provider.before !== provider.after) {
    steps.unshift({ name: t('step_provider'), before: provider.before, after: provider.after });
  }
  return steps;
}

/** Who owns an account, as people enumerate them. */
export function ownersText(owners, nameOf = (id) => id) {
  const names = owners ? [...(owners.local ? [t('owner_local')] : []), ...owners.sources.map(nameOf)] : [];
  return names.join(', ') || t('none');
}

/** One step, short enough for a line: `quota 0 → 5`. What goes becomes none. */
export function stepNode({ name, before, after }) {
  return make('span', { className: 'step' },
    make('span', { className: 'name' }, name), ' ',
    ...(before === null ? [] : [make('del', {}, clipped(before, SHORT)), ' → ']),
    after === 'null' ? make('span', { className: 'none' }, t('none')) : make('ins', {}, clipped(after, SHORT)));
}
