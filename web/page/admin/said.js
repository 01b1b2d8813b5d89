// What became of the last thing that was done, in a line that is read aloud.

import { byId } from '../shared/element.js';
import { isLeft, why } from './session.js';
import { refresh } from './view.js';

let words = null;

/** Says something until the person goes elsewhere. `told()` gives text or nodes, and is asked again in another language. */
export function say(told, kind = 'done') {
  words = told;
  const place = byId('said');
  place.dataset.kind = kind;
  sayAgain();
}

/** Does something at once, says what came of it, and shows what is there then. */
export async function attempt(act, told) {
  try {
    await act();
    say(told);
  } catch (error) {
    if (isLeft(error)) return null;
    say(() => why(error), 'failed');
  }
  return refresh();
}

/** The same in another language. */
export function sayAgain() {
  if (words) byId('said').replaceChildren(...[words()].flat());
}

/** Says nothing any more. */
export function unsay() {
  words = null;
  byId('said').replaceChildren();
}
