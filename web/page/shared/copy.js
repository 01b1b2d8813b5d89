// Text to take along: a button that copies it, and says whether that worked.

import { button, make } from './element.js';
import { t } from './text.js';

/** A button that copies the text of `node`, and the place where it says so. Where nothing may copy, the text is selected. */
export function copying(node) {
  const said = make('span', { className: 'hint', role: 'status' });
  const copy = button(t('copy'), async () => {
    try {
      await navigator.clipboard.writeText(node.textContent);
      said.textContent = t('copied');
    } catch {
      getSelection().selectAllChildren(node);
      said.textContent = t('not_copied');
    }
  });
  return { copy, said };
}
