// The page's words in the language that is chosen, and the sentences that need numbers.

import { en } from './text.en.js';
import { zh } from './text.zh.js';

const LANGUAGES = { en, zh };
let language = 'en';

/** Chooses a language and writes all words that stand in the page itself. */
export function speak(chosen) {
  language = chosen;
  document.documentElement.lang = chosen === 'zh' ? 'zh-CN' : 'en';
  document.title = t('title');
  for (const node of document.querySelectorAll('[data-text]')) node.textContent = t(node.dataset.text);
  for (const node of document.querySelectorAll('[data-label]')) node.setAttribute('aria-label', t(node.dataset.label));
  for (const node of document.querySelectorAll('[data-placeholder]')) node.placeholder = t(node.dataset.placeholder);
}

/** A text, with what it is told put in. */
export function t(name, ...told) {
  const words = LANGUAGES[language][name];
  return typeof words === 'function' ? words(...told) : (words ?? name);
}

/** A whole number as people write it. */
export function count(number) {
  return new Intl.NumberFormat(language).format(number);
}

/** A size in bytes, as people write it. */
export function size(bytes) {
  const units = ['B', 'KB', 'MB', 'GB'];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const shown = new Intl.NumberFormat(language, { maximumFractionDigits: step ? 1 : 0 }).format(bytes / 1000 ** step);
  return `${shown} ${units[step]}`;
}

/** A share of a whole in tenths of a percent, half of one rounded up. */
export function percent(part, whole) {
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
