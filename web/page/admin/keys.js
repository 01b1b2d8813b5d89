// Keys of colleagues and programs: made, renamed, disabled, deleted. A key itself is shown once.

import { copying } from '../shared/copy.js';
import { openDialog } from '../shared/dialog.js';
import { make } from '../shared/element.js';
import { t, word } from '../shared/text.js';
import { formOf, objectText } from './form.js';
import { about, deed, headOf, listOf, nothing, stateBadge } from './list.js';
import { attempt, say } from './said.js';
import { call, get, send, why } from './session.js';
import { time } from './times.js';
import { refresh } from './view.js';

const KEYS = 'api/auth/users';
const NAME = { name: 'key_name', kind: 'text', needed: true, hint: true };

const COLUMNS = [
  { name: 'key', isHead: true, kind: 'name', cell: ({ name }) => make('strong', {}, name) },
  { name: 'role', cell: ({ role }) => word('choice', role) },
  { name: 'state', cell: ({ enabled }) => stateBadge(enabled) },
  { name: 'created', cell: ({ created_at: at }) => time(at) },
  { name: 'last_used', cell: ({ last_used_on: day }) => day || make('span', { className: 'none' }, t('never')) },
  { name: 'actions', kind: 'actions', cell: actions },
];

export const keys = {
  name: 'keys',
  load: (_, signal) => get(KEYS, signal),
  draw: ({ items }) => [
    headOf('keys', t('keys_hint'), deed('create_key', create, 'primary')),
    items.length === 0 ? nothing(t('no_keys')) : listOf({ label: t('view_keys'), columns: COLUMNS, rows: items }),
  ],
};

function actions(key) {
  const { id, name, enabled } = key;
  return [
    about(t('rename'), name, `rename-${id}`, () => rename(key)),
    about(t(enabled ? 'disable' : 'enable'), name, `enable-${id}`, () => enable(key)),
    about(t('delete'), name, `delete-${id}`, () => remove(key), 'danger'),
  ];
}

/** The body of a form whose first field is the name. */
const bodyOf = (form) => objectText(form.texts().map(([name, text]) => [name === NAME.name ? 'name' : name, text]));

async function create() {
  const form = formOf([NAME, { name: 'role', kind: 'choice', options: ['user', 'reader'], hint: true }]);
  const made = await openDialog({ title: t('create_key'), content: form.nodes, yes: t('create'), explain: why, focus: form.first, act: () => send(KEYS, bodyOf(form)) });
  if (!made) return;
  refresh();
  const shown = make('pre', { tabIndex: 0, role: 'region', 'aria-label': t('new_key') }, made.key);
  const { copy, said } = copying(shown);
  await openDialog({ title: t('new_key_title', made.item.name), content: [make('p', {}, t('new_key_text')), shown, make('p', { className: 'copying' }, copy, said)], focus: copy });
  say(() => t('key_created', made.item.name));
}

async function rename({ id, name }) {
  const form = formOf([NAME], { key_name: name });
  const renamed = await openDialog({ title: t('rename_title', name), content: form.nodes, yes: t('save'), explain: why, focus: form.first, act: () => send(`${KEYS}/${id}`, bodyOf(form)) });
  if (!renamed) return;
  say(() => t('key_renamed', name, renamed.item.name));
  refresh();
}

function enable({ id, name, enabled }) {
  const body = JSON.stringify({ enabled: !enabled });
  return attempt(() => send(`${KEYS}/${id}`, body), () => t(enabled ? 'is_disabled' : 'is_enabled', name));
}

async function remove({ id, name }) {
  const act = () => call(`${KEYS}/${id}`, { method: 'DELETE' });
  const gone = await openDialog({ title: t('delete_title', name), content: [make('p', {}, t('delete_key_text'))], yes: t('delete'), danger: true, explain: why, act });
  if (!gone) return;
  say(() => t('is_deleted', name));
  refresh();
}
