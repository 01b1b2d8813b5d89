// One of several, each told in words with what it means.

import { make } from '../shared/element.js';
import { t } from '../shared/text.js';

/** The choice `name` among `names`; each has the texts `NAME_CHOICE` and `NAME_CHOICE_hint`. `changed` is called after a choice. */
export function choicesOf(name, names, first, changed = () => {}) {
  let chosen = first;
  const choices = names.map((one) => {
    const input = make('input', { type: 'radio', name, autocomplete: 'off', value: one, checked: one === first });
    input.addEventListener('input', () => {
      chosen = one;
      changed();
    });
    const words = make('span', {}, make('strong', {}, t(`${name}_${one}`)), ' ', make('span', { className: 'hint' }, t(`${name}_${one}_hint`)));
    return make('label', { className: 'choice' }, input, words);
  });
  const node = make('fieldset', { className: 'choices' }, make('legend', {}, t(name)), ...choices);
  return { node, chosen: () => chosen };
}
