// Accounts that a person gives: tokens, one a line, or the JSON that a source would answer.

import { payloadHead } from '../shared/body.js';
import { openDialog } from '../shared/dialog.js';
import { make } from '../shared/element.js';
import { count, t } from '../shared/text.js';
import { say } from './said.js';
import { Mistake, send, why } from './session.js';
import { refresh } from './view.js';

/** Opens the box into which accounts are pasted. */
export async function addAccounts() {
  const text = make('textarea', { id: 'add-text', rows: 9, spellcheck: false, autocomplete: 'off', autocapitalize: 'off', 'aria-describedby': 'add-hint' });
  const provider = make('select', { id: 'add-provider', autocomplete: 'off' }, ...['', 'gpt', 'grok'].map((value) => make('option', { value }, t(`choice_${value || 'none'}`))));
  const added = await openDialog({
    title: t('add_accounts'),
    content: [
      field(text, 'add_text', make('p', { className: 'hint', id: 'add-hint' }, t('add_hint'), ' ', make('a', { href: './' }, t('add_preview')))),
      field(provider, 'field_provider', make('p', { className: 'hint' }, t('hint_provider'))),
    ],
    yes: t('add'),
    ready: () => text.value.trim() !== '',
    explain: why,
    wide: true,
    focus: text,
    act: () => send('api/accounts', bodyOf(text.value, provider.value)),
  });
  if (!added) return;
  say(() => told(added));
  refresh();
}

const field = (input, label, hint) => make('div', { className: 'field' }, make('label', { htmlFor: input.id }, t(label)), input, hint);

/** The body of the request: JSON stays as it was pasted, anything else is tokens, one a line. */
function bodyOf(pasted, provider) {
  const text = pasted.trim();
  const head = payloadHead(provider ? { provider } : {});
  if (!/^[[{]/.test(text)) return `${head}${JSON.stringify(text.split(/\s*\n\s*/))}}`;
  try {
    JSON.parse(text);
  } catch {
    throw new Mistake(t('not_json'));
  }
  return `${head}${text}}`;
}

function told({ added, updated, unchanged, not_taken: entries }) {
  const parts = [make('p', {}, t('accounts_added', count(added), count(updated), count(unchanged)))];
  if (entries.length === 0) return parts;
  const lines = entries.map(({ index, reason, error }) => make('li', {}, t('entry_not_taken', count(index), t(`skip_${reason}`, /\d+/.exec(error)?.[0] ?? ''))));
  return [...parts, make('p', {}, t('not_taken', count(entries.length))), make('ul', {}, ...lines)];
}
