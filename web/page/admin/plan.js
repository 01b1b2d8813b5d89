// The plan of a source: what a sync would change now, and the sync of exactly that.

import { openDialog, typedNumber } from '../shared/dialog.js';
import { make } from '../shared/element.js';
import { count, t } from '../shared/text.js';
import { deed } from './list.js';
import { namesOf } from './owners.js';
import { planIn, planned } from './planned.js';
import { address, go } from './route.js';
import { call, get } from './session.js';
import { startSync } from './syncs.js';
import { refresh } from './view.js';

/** Changes, skips and notes that are listed at most. */
const LISTED = 100;

export const plan = {
  name: 'plan',
  load: async ({ id }, signal) => {
    const answer = call(`api/remote-account/sources/${encodeURIComponent(id)}/plan?limit=${LISTED}`, { method: 'POST', signal });
    const [response, { owners }] = await Promise.all([answer, get('api/accounts/owners', signal)]);
    return { plan: planIn(new Uint8Array(await response.arrayBuffer())), owners };
  },
  draw: ({ plan: found, owners }, { id }) => [
    make('p', {}, make('a', { href: address('sources'), className: 'back', 'data-key': 'back' }, `← ${t('all_sources')}`)),
    make('div', { className: 'view-head' },
      make('div', {}, make('h2', { id: 'view-title' }, t('plan_title', found.source_name || id)), make('p', { className: 'hint' }, basis(found))),
      make('div', { className: 'tools' },
        deed('plan_again', refresh),
        deed(found.guard?.blocked ? 'approve' : 'sync_exactly', () => approve(id, found), found.guard?.blocked ? 'primary danger' : 'primary'))),
    ...planned(found, namesOf(owners)),
  ],
};

const basis = ({ strategy, counts, pool_revision: revision }) => t('plan_basis', t(strategy), count(counts.total), count(revision));

/** Syncs exactly this plan, in the list of sources. What would be lost is asked for once more. */
async function approve(id, found) {
  const source = { id, name: found.source_name || id };
  const { removed, disabled } = found.counts;
  if ((found.guard?.blocked || removed + disabled > 0) && !(await isMeant(source, found))) return;
  go(address('sources'), () => startSync(source, found.plan_hash));
}

function isMeant({ name }, { counts: { removed, disabled }, guard }) {
  const number = typedNumber(removed, t('type_to_delete', count(removed)));
  const told = [];
  if (guard?.blocked) told.push(t('approve_text', count(guard.owned), count(guard.would_own)));
  if (disabled > 0) told.push(t('approve_disabled', count(disabled)));
  return openDialog({
    title: t('approve_title', name),
    content: [...told.map((text) => make('p', {}, text)), ...(removed > 0 ? [number.node] : [])],
    yes: t('sync_exactly'),
    danger: true,
    ready: () => removed === 0 || number.matches(),
    focus: removed > 0 ? number.input : null,
  });
}
