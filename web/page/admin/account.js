// One account with all its fields, as the server tells them: secrets as `…`.

import { make } from '../shared/element.js';
import { members, textOf } from '../shared/json.js';
import { t } from '../shared/text.js';
import { editAccount } from './account-edit.js';
import { removeAccounts } from './account-remove.js';
import { accountStatus, lastList } from './accounts.js';
import { deed } from './list.js';
import { ownerName } from './owners.js';
import { address } from './route.js';
import { call, get } from './session.js';

export const account = {
  name: 'account',
  load: async ({ id }, signal) => {
    const answer = call(`api/accounts/${encodeURIComponent(id)}`, { signal });
    const [response, { owners }] = await Promise.all([answer, get('api/accounts/owners', signal)]);
    const fields = fieldsIn(new Uint8Array(await response.arrayBuffer()));
    return { id, fields, owners };
  },
  draw: ({ id, fields, owners }) => {
    const token = JSON.parse(fields.token);
    return [
      make('p', {}, make('a', { href: lastList(), className: 'back', 'data-key': 'back' }, `← ${t('all_accounts')}`)),
      make('div', { className: 'view-head' },
        make('h2', { id: 'view-title' }, t('account_title', token)),
        make('div', { className: 'tools' }, ...actions(id, token, fields))),
      table(fields, owners),
      make('p', { className: 'hint' }, t('secrets_hint')),
    ];
  },
};

/** The JSON texts of the fields by name, with the numbers as they were written. */
function fieldsIn(bytes) {
  const [item] = members(bytes, 0).item;
  return Object.fromEntries(Object.entries(members(bytes, item)).map(([name, place]) => [name, textOf(bytes, ...place)]));
}

function actions(id, token, fields) {
  return [
    deed('edit', () => editAccount(id, token, fields), 'primary'),
    deed('delete', () => removeAccounts(new Map([[id, token]]), lastList()), 'danger'),
  ];
}

function table(fields, owners) {
  const lines = Object.entries(fields).map(([name, text]) =>
    make('tr', {}, make('th', { scope: 'row' }, name), make('td', {}, ...shown(name, text, owners))));
  const head = make('tr', {}, make('th', { scope: 'col' }, t('col_field')), make('th', { scope: 'col' }, t('col_value')));
  return make('div', { className: 'fields all', tabIndex: 0, role: 'region', 'aria-label': t('fields') },
    make('table', {}, make('thead', {}, head), make('tbody', {}, ...lines)));
}

function shown(name, text, owners) {
  if (name === 'owners') return ownerLinks(JSON.parse(text), owners);
  return [name === 'status' ? accountStatus(JSON.parse(text)) : plain(text)];
}

/** A text without its quotes, anything else as it was written. */
const plain = (text) => (text.startsWith('"') ? JSON.parse(text) : text);

function ownerLinks({ local, sources }, owners) {
  const known = new Map(owners.map((owner) => [owner.owner, ownerName(owner)]));
  const all = [...(local ? ['local'] : []), ...sources.map((id) => `source:${id}`)];
  const links = all.map((owner) => make('a', { href: address('accounts', { owner }) }, known.get(owner) ?? owner));
  return links.length === 0 ? [t('owner_none')] : links.flatMap((link, at) => (at === 0 ? [link] : [', ', link]));
}
