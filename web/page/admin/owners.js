// Owners: who put accounts into the pool, and how many each still has.

import { openDialog } from '../shared/dialog.js';
import { make } from '../shared/element.js';
import { count, t, word } from '../shared/text.js';
import { fateOf } from './fate.js';
import { about, badge, headOf, listOf, nothing, stateBadge } from './list.js';
import { address } from './route.js';
import { say } from './said.js';
import { get, send, why } from './session.js';
import { refresh } from './view.js';

const COLUMNS = [
  { name: 'owner', isHead: true, kind: 'name', cell: (owner) => make('strong', {}, ownerName(owner)) },
  { name: 'kind', cell: kindOf },
  { name: 'source_id', kind: 'mono', cell: ({ source_id: id }) => id ?? '' },
  { name: 'accounts', kind: 'number', cell: ({ accounts }) => count(accounts) },
  { name: 'actions', kind: 'actions', cell: actions },
];

export const owners = {
  name: 'owners',
  load: (_, signal) => get('api/accounts/owners', signal),
  draw: ({ owners: all }) => [
    headOf('owners', t('owners_hint')),
    all.length === 0 ? nothing(t('no_owners')) : listOf({ label: t('view_owners'), columns: COLUMNS, rows: all }),
  ],
};

/** What an owner is called: its name, else its id. */
export function ownerName({ kind, source_id: id, source_name: name }) {
  return kind === 'local' ? t('owner_local') : name || id;
}

/** What each of `owners` is called, by the id of its source. */
export function namesOf(owners) {
  const names = new Map(owners.map((owner) => [owner.source_id, ownerName(owner)]));
  return (id) => names.get(id) ?? id;
}

function kindOf({ kind, enabled }) {
  const told = badge(word('owner_kind', kind), kind === 'deleted_source' ? 'warn' : '');
  return enabled === false ? [told, ' ', stateBadge(false)] : told;
}

function actions(owner) {
  if (owner.accounts === 0) return [];
  const name = ownerName(owner);
  const show = make('a', { className: 'button small', href: address('accounts', { owner: owner.owner }), 'aria-label': `${t('show_accounts')} ${name}` }, t('show_accounts'));
  return [show, about(t('release'), name, `release-${owner.owner}`, () => release(owner), 'danger')];
}

async function release(owner) {
  const name = ownerName(owner);
  const fate = fateOf(['release', 'remove'], owner.accounts);
  const body = () => JSON.stringify({ owner: owner.owner, accounts: fate.chosen() === 'remove' ? 'remove' : 'keep' });
  const released = await openDialog({
    title: t('release_title', name),
    content: [make('p', {}, t('release_text', count(owner.accounts))), fate.node],
    yes: t('release'),
    danger: true,
    ready: fate.ready,
    explain: why,
    act: () => send('api/accounts/release', body()),
  });
  if (!released) return;
  say(() => t('owner_released', name, count(released.released), count(released.kept), count(released.removed)));
  refresh();
}
