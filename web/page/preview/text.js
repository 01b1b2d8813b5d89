// The preview's words, and the sentences that need numbers.

import { count, learn, t } from '../shared/text.js';
import { en } from './text.en.js';
import { zh } from './text.zh.js';

export { count, size, t } from '../shared/text.js';

learn({ en, zh });

/** A share of a whole in tenths of a percent, half of one rounded up. */
function percent(part, whole) {
  const tenths = Math.ceil(Math.floor((part * 2000) / Math.max(1, whole)) / 2);
  return `${Math.floor(tenths / 10)}.${tenths % 10} %`;
}

/** What a plan would do, in one sentence. `owned` is how many accounts the source owns now. */
export function sentence({ strategy, counts, owned }) {
  const parts = [];
  const say = (verb, number) => number > 0 && parts.push(t(`would_${verb}`, count(number)));
  say('add', counts.added);
  say('update', counts.updated);
  say('keep', counts.unchanged);
  say('release', counts.released);
  say('disable', counts.disabled);
  if (counts.removed > 0) {
    parts.push(t('would_remove', count(counts.removed), count(owned), percent(counts.removed, owned)));
  } else if (parts.length === 0) {
    parts.push(t('would_nothing'));
  } else if (strategy === 'replace') {
    parts.push(t('would_remove_none'));
  }
  return t('sentence', t(strategy), parts);
}

/** Why a payload or its options are refused, in words for people. */
export function refusalText({ code, message }) {
  const [entry] = /\d+/.exec(message) ?? [''];
  return t(`refusal_${code}`, message, entry);
}
