// Accounts that a person gives: tokens, one a line, or the JSON that a source would answer.

import { payloadHead } from '../shared/body.js';
import { openDialog } from '../shared/dialog.js';
import { make } from '../shared/element.js';
import { read } from '../shared/server.js';
import { count, t } from '../shared/text.js';
import { say } from './said.js';
import { Mistake, call, why } from './session.js';
import { refresh } from './view.js';

/** Entries that are told when they are not taken. */
const TOLD = 8;

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
    act: () => add(bodyOf(text.value, provider.value)),
  });
  if (!added) return;
  say(() => told(added));
  refresh();
}

/** Sends the body; gives the server's answer and, from its header, how many entries were not taken. */
async function add(body) {
  const response = await call('api/accounts', { method: 'POST', body });
  return { ...(await read(response)), skipped_entries: Number(response.headers.get('Tributary-Skipped') ?? 0) };
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

function told({ added, updated, unchanged, not_taken: entries, skipped_entries: notTaken }) {
  const parts = [make('p', {}, t('accounts_added', count(added), count(updated), count(unchanged)))];
  if (entries.length === 0) return parts;
  const lines = entries.slice(0, TOLD).map(({ index, reason, error }) => make('li', {}, t('entry_not_taken', count(index), t(`skip_${reason}`, /\d+/.exec(error)?.[0] ?? ''))));
  if (notTaken > lines.length) lines.push(make('li', {}, t('and_more', count(notTaken - lines.length))));
  return [...parts, make('p', {}, t('not_taken', count(notTaken))), make('ul', {}, ...lines)];
}
