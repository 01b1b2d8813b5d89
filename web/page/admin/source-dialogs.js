// Dialogs about one source: its fields, and what becomes of its accounts when it goes.

import { openDialog } from '../shared/dialog.js';
import { make } from '../shared/element.js';
import { count, t } from '../shared/text.js';
import { fateOf } from './fate.js';
import { formOf, objectText } from './form.js';
import { why } from './session.js';

/** Every field of a source that a person sets. */
const FIELDS = [
  { name: 'name', kind: 'text', hint: true },
  { name: 'enabled', kind: 'flag', hint: true },
  { name: 'url', kind: 'text', needed: true, wide: true, hint: true },
  { name: 'method', kind: 'choice', options: ['GET', 'POST'] },
  { name: 'provider', kind: 'choice', options: ['', 'gpt', 'grok'], hint: true },
  { name: 'sync_strategy', kind: 'choice', options: ['merge', 'replace'], hint: true },
  { name: 'interval_seconds', kind: 'number', least: 1, kept: true, hint: true },
  { name: 'bearer_token', kind: 'secret', wide: true, hint: true },
  { name: 'auth_header', kind: 'text', clears: true, hint: true },
  { name: 'auth_token', kind: 'secret' },
];

/** The same for a source that has a name already. */
const EDITED_FIELDS = FIELDS.map((field) => (field.name === 'name' ? { ...field, hint: false, kept: true } : field));

/** Asks for a new source; `create(body)` makes it and gives the server's answer, as this does. */
export function addSource(create) {
  const form = formOf(FIELDS, { enabled: true });
  return openDialog({ ...dialogOf(form, t('add_source'), t('add')), act: () => create(objectText(form.texts())) });
}

/** Asks for other fields of a source; `update(body)` sends those that changed. Gives its answer. */
export function editSource(source, update) {
  const values = { ...source, auth_token: source.has_auth_token, bearer_token: source.has_bearer_token };
  const form = formOf(EDITED_FIELDS, values);
  const act = () => {
    const texts = form.texts({ changed: true });
    return texts.length > 0 ? update(objectText(texts)) : {};
  };
  return openDialog({ ...dialogOf(form, t('edit_title', source.name), t('save')), act });
}

function dialogOf(form, title, yes) {
  return { title, content: [make('div', { className: 'form' }, ...form.nodes)], yes, explain: why, wide: true, focus: form.first };
}

/** Asks what becomes of the accounts of a source that goes; `owned` is null when nobody knows how many. Gives the fate. */
export function deleteSource({ name }, owned, remove) {
  // What cannot be counted cannot be typed: then nothing is removed.
  const fate = fateOf(owned === null ? ['keep', 'release'] : ['keep', 'release', 'remove'], owned);
  return openDialog({
    title: t('delete_title', name),
    content: [make('p', {}, owned === null ? t('owns_unknown') : t('owns', count(owned))), fate.node],
    yes: t('delete'),
    danger: true,
    ready: fate.ready,
    explain: why,
    act: async () => {
      await remove(fate.chosen());
      return fate.chosen();
    },
  });
}
