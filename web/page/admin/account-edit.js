// The fields of an account that a person sets, and imports keep.

import { openDialog } from '../shared/dialog.js';
import { make } from '../shared/element.js';
import { t } from '../shared/text.js';
import { KNOWN } from './accounts.js';
import { formOf, objectText } from './form.js';
import { say } from './said.js';
import { send, why } from './session.js';
import { refresh } from './view.js';

const FIELDS = [
  { name: 'status', kind: 'text', needed: true, known: KNOWN.status },
  { name: 'type', kind: 'text', needed: true, known: KNOWN.type },
  { name: 'quota', kind: 'number', kept: true },
  { name: 'success', kind: 'number', kept: true },
  { name: 'fail', kind: 'number', kept: true },
  { name: 'image_quota_unknown', kind: 'flag' },
  { name: 'restore_at', kind: 'text', clears: true, hint: true },
  { name: 'last_used_at', kind: 'text', clears: true },
  { name: 'limits_progress', kind: 'json', wide: true, kept: true, hint: true },
];

/** Asks for other values; `fields` are the JSON texts of what there is. */
export async function editAccount(id, token, fields) {
  const values = FIELDS.map(({ name, kind }) => [name, fields[name] && (kind === 'json' ? fields[name] : JSON.parse(fields[name]))]);
  const form = formOf(FIELDS, Object.fromEntries(values));
  const edited = await openDialog({
    title: t('edit_title', token),
    content: [make('p', { className: 'hint' }, t('edit_account_hint')), make('div', { className: 'form' }, ...form.nodes)],
    yes: t('save'),
    explain: why,
    wide: true,
    focus: form.first,
    act: () => {
      const texts = form.texts({ changed: true });
      return texts.length > 0 ? send('api/accounts/update', objectText([['id', JSON.stringify(id)], ...texts])) : { changed: false };
    },
  });
  if (!edited) return;
  say(() => t(edited.changed ? 'account_edited' : 'nothing_changed', token));
  refresh();
}
