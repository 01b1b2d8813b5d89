// The policy of a source: what a sync may take away, and where the source stands in the schedule.

import { openDialog } from '../shared/dialog.js';
import { make } from '../shared/element.js';
import { count, t } from '../shared/text.js';
import { choicesOf } from './choices.js';
import { formOf, objectText } from './form.js';
import { part } from './planned.js';
import { forDialog } from './route.js';
import { say } from './said.js';
import { get, isLeft, send, why } from './session.js';
import { time } from './times.js';
import { refresh } from './view.js';

const GUARD = [
  { name: 'guard_percent', kind: 'number', clears: true, most: 100, hint: true, empty: 'as_server' },
  { name: 'guard_floor', kind: 'number', clears: true, hint: true, empty: 'as_server' },
];

/** Shows the policy of a source, and sets it. */
export async function editPolicy({ id, name }) {
  const path = `api/remote-account/sources/${encodeURIComponent(id)}/policy`;
  const found = await forDialog(get(path)).catch((error) => {
    if (isLeft(error)) return;
    say(() => why(error), 'failed');
    refresh();
  });
  if (!found) return;
  const { policy, schedule } = found;
  const removal = choicesOf('removal', ['remove', 'disable'], policy.removal);
  const form = formOf(GUARD, policy);
  const act = () => {
    const texts = form.texts({ changed: true });
    if (removal.chosen() !== policy.removal) texts.push(['removal', JSON.stringify(removal.chosen())]);
    return texts.length > 0 ? send(path, objectText(texts)) : { policy: null };
  };
  const saved = await openDialog({
    title: t('policy_title', name),
    content: [
      standing(schedule),
      removal.node,
      part('guard', make('p', { className: 'hint' }, t('guard_hint')), make('div', { className: 'form' }, ...form.nodes)),
    ],
    yes: t('save'),
    explain: why,
    wide: true,
    act,
  });
  if (saved) say(() => t(saved.policy ? 'policy_saved' : 'nothing_changed', name));
}

/** Where the source stands in the schedule. */
function standing(schedule) {
  const next = nextSync(schedule) ?? [t('no_next_sync')];
  const { failures, quarantined } = schedule;
  return make('div', { className: quarantined ? 'callout' : 'standing' },
    make('p', {}, ...next),
    make('p', { className: 'hint' }, failures > 0 ? t('failures', count(failures)) : t('no_failures')));
}

/** When the schedule syncs a source next, or that it does not any more; null where it never does. */
export function nextSync({ quarantined, next_sync_at: next }) {
  if (quarantined) return [make('strong', {}, t('quarantined'))];
  return next && [t('next_sync'), ' ', time(next)];
}
