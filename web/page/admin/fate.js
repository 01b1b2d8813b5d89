// What becomes of accounts when their owner goes: a choice in words, and a number to type before any are removed.

import { typedNumber } from '../shared/dialog.js';
import { make } from '../shared/element.js';
import { count, t } from '../shared/text.js';

/** The choice among `names`, the first of them chosen; `number` accounts are there at most that `remove` removes. */
export function fateOf(names, number) {
  let fate = names[0];
  const typing = typedNumber(number, t('type_to_remove', count(number ?? 0)));
  const needsTyping = () => fate === 'remove' && number > 0;
  typing.node.hidden = true;
  const choices = names.map((name) => {
    const input = make('input', { type: 'radio', name: 'fate', autocomplete: 'off', value: name, checked: name === fate });
    input.addEventListener('input', () => {
      fate = name;
      typing.node.hidden = !needsTyping();
    });
    const words = make('span', {}, make('strong', {}, t(`fate_${name}`)), ' ', make('span', { className: 'hint' }, t(`fate_${name}_hint`)));
    return make('label', { className: 'fate' }, input, words);
  });
  const node = make('fieldset', { className: 'fates' }, make('legend', {}, t('fate')), ...choices, typing.node);
  return { node, chosen: () => fate, ready: () => !needsTyping() || typing.matches() };
}
