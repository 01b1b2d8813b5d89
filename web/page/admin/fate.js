// What becomes of accounts when their owner goes: a choice in words, and a number to type before any are removed.

import { typedNumber } from '../shared/dialog.js';
import { count, t } from '../shared/text.js';
import { choicesOf } from './choices.js';

/** The choice among `names`, the first of them chosen; `number` accounts are there at most that `remove` removes. */
export function fateOf(names, number) {
  const typing = typedNumber(number, t('type_to_remove', count(number ?? 0)));
  const choice = choicesOf('fate', names, names[0], () => { typing.node.hidden = !needsTyping(); });
  const needsTyping = () => choice.chosen() === 'remove' && number > 0;
  typing.node.hidden = true;
  choice.node.append(typing.node);
  return { node: choice.node, chosen: choice.chosen, ready: () => !needsTyping() || typing.matches() };
}
