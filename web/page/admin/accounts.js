// Accounts: the pool page by page, what is found in it, and what is done to several at once.

import { make } from '../shared/element.js';
import { count, t } from '../shared/text.js';
import { addAccounts } from './account-add.js';
import { removeAccounts } from './account-remove.js';
import { badge, deed, headOf, listOf } from './list.js';
import { marked } from './marked.js';
import { ownerName } from './owners.js';
import { PAGE, filterBar, isFiltered, noRows, pager } from './pages.js';
import { address, asked } from './route.js';
import { get } from './session.js';
import { time } from './times.js';
import { redraw } from './view.js';

/** How often-seen statuses look. */
const LOOKS = new Map([['正常', 'good'], ['限流', 'warn'], ['异常', 'bad']]);
/** Values that people filter by most; others can be typed. */
export const KNOWN = { status: ['正常', '限流', '异常', '禁用'], type: ['free', 'basic', 'plus'] };

/** The address of the list as it was shown last. */
let last = address('accounts');

/** Where to go back to from one account. */
export const lastList = () => last;

/** Forgets what was marked and found. */
export function forgetAccounts() {
  marked.clear();
  last = address('accounts');
}

export const accounts = {
  name: 'accounts',
  load: async ({ query }, signal) => {
    const { page, ...rest } = query;
    const list = get(`api/accounts?${asked({ ...rest, limit: PAGE, count: true })}`, signal);
    const [{ items, next, total }, { owners }] = await Promise.all([list, get('api/accounts/owners', signal)]);
    return { items, next, total, owners };
  },
  draw: (found, { query }) => {
    last = address('accounts', query);
    return [
      headOf('accounts', t(isFiltered(query) ? 'accounts_found' : 'accounts_total', count(found.total)), deed('add_accounts', addAccounts, 'primary')),
      filterBar('accounts', query, filters(found.owners)),
      marking(),
      found.items.length === 0 ? noRows(query, 'no_accounts') : list(found),
      pager('accounts', query, found),
    ];
  },
};

/** The status of an account as a coloured word. */
export const accountStatus = (status) => badge(status, LOOKS.get(status) ?? '');

function filters(owners) {
  const all = ['', t('any')];
  return [
    { name: 'q', hint: t('filter_q_hint') },
    { name: 'provider', options: [all, ['gpt', 'gpt'], ['grok', 'grok']] },
    { name: 'owner', options: [all, ...owners.map((owner) => [owner.owner, ownerName(owner)]), ['none', t('owner_none')]] },
    { name: 'status', known: KNOWN.status },
    { name: 'type', known: KNOWN.type },
  ];
}

/** What can be done to those that are marked. */
function marking() {
  const node = make('div', { className: 'marking', role: 'group', 'aria-label': t('marked_accounts') });
  node.hidden = marked.size === 0;
  const remove = deed('delete_marked', () => removeAccounts(marked), 'small danger');
  const none = deed('mark_none', () => {
    marked.clear();
    redraw();
  }, 'small quiet');
  node.append(make('p', {}, t('marked', count(marked.size))), remove, none);
  return node;
}

function list({ items, owners }) {
  const names = new Map(owners.map((owner) => [owner.source_id, ownerName(owner)]));
  return listOf({ label: t('view_accounts'), columns: columns(items, names), rows: items, isChosen: ({ id }) => marked.has(id) });
}

function columns(items, names) {
  return [
    { name: 'mark', kind: 'mark', title: () => markAll(items), cell: markOne },
    { name: 'fingerprint', kind: 'mono', isHead: true, cell: ({ id }) => make('a', { href: address('accounts', {}, id), 'data-key': `account-${id}` }, id.slice(0, 12)) },
    { name: 'token', kind: 'mono', cell: ({ token }) => token },
    { name: 'provider', cell: ({ provider }) => provider },
    { name: 'type', cell: ({ type }) => type },
    { name: 'status', cell: ({ status }) => accountStatus(status) },
    { name: 'quota', kind: 'number', cell: ({ quota }) => count(quota) },
    { name: 'uses', kind: 'number', cell: ({ success, fail }) => `${count(success)} / ${count(fail)}` },
    { name: 'owners', cell: ({ owners }) => ownersText(owners, names) },
    { name: 'injected', cell: ({ remote_injected_at: at }) => time(at) },
  ];
}

function ownersText({ local, sources }, names) {
  const all = [...(local ? [t('owner_local')] : []), ...sources.map((id) => names.get(id) ?? id)];
  return all.join(', ') || t('owner_none');
}

function markOne({ id, token }) {
  const input = checkbox(`${t('mark')} ${token}`, `mark-${id}`, marked.has(id));
  input.addEventListener('change', () => {
    if (input.checked) marked.set(id, token);
    else marked.delete(id);
    redraw();
  });
  return input;
}

function markAll(items) {
  const input = checkbox(null, 'mark-page', items.every(({ id }) => marked.has(id)));
  input.indeterminate = !input.checked && items.some(({ id }) => marked.has(id));
  input.addEventListener('change', () => {
    for (const { id, token } of items) {
      if (input.checked) marked.set(id, token);
      else marked.delete(id);
    }
    redraw();
  });
  return make('label', { className: 'mark-page' }, input, make('span', {}, t('mark_page')));
}

function checkbox(label, key, checked) {
  const named = label === null ? {} : { 'aria-label': label };
  return make('input', { type: 'checkbox', autocomplete: 'off', 'data-key': key, checked, ...named });
}
