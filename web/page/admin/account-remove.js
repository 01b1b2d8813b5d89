// Accounts that a person removes: asked once more, typed when there are several, and told which sources bring them back.

import { openDialog, typedNumber } from '../shared/dialog.js';
import { make } from '../shared/element.js';
import { count, t } from '../shared/text.js';
import { marked } from './marked.js';
import { go, isAt } from './route.js';
import { say } from './said.js';
import { send, why } from './session.js';
import { refresh } from './view.js';

/** Tokens that are named before they go. */
const NAMED = 8;

/** Asks whether to remove `chosen` (masked tokens by id), and does. What came of it is said here, or `onward`. */
export async function removeAccounts(chosen, onward = null) {
  const [ids, tokens] = [[...chosen.keys()], [...chosen.values()]];
  const number = typedNumber(ids.length, t('type_to_delete', count(ids.length)));
  const several = ids.length > 1;
  const here = location.hash;
  const removed = await openDialog({
    title: t('remove_title', count(ids.length)),
    content: [named(tokens), make('p', {}, t('remove_text')), ...(several ? [number.node] : [])],
    yes: t('delete'),
    danger: true,
    ready: () => !several || number.matches(),
    explain: why,
    focus: several ? number.input : null,
    act: () => send('api/accounts', JSON.stringify({ ids }), 'DELETE'),
  });
  if (!removed) return;
  for (const id of ids) marked.delete(id);
  const tell = () => say(() => told(removed));
  // Who went elsewhere meanwhile stays there.
  if (onward && location.hash === here && !isAt(onward)) return go(onward, tell);
  tell();
  refresh();
}

function named(tokens) {
  const lines = tokens.slice(0, NAMED).map((token) => make('li', { className: 'mono' }, token));
  if (tokens.length > NAMED) lines.push(make('li', {}, t('and_more', count(tokens.length - NAMED))));
  return make('ul', { className: 'named' }, ...lines);
}

function told({ removed, unknown_ids: unknown, returning }) {
  const parts = [t('accounts_removed', count(removed))];
  if (unknown.length > 0) parts.push(t('were_gone', count(unknown.length)));
  for (const { source_id: id, source_name: name, accounts } of returning) parts.push(t('returning', name || id, count(accounts)));
  return parts.join(' ');
}
