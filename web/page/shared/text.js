// Words in the language that is chosen, and numbers as people write them there.

import { en } from './text.en.js';
import { zh } from './text.zh.js';

const LANGUAGES = { en: { ...en }, zh: { ...zh } };
let language = 'en';

/** Adds a page's own words to those of all pages. */
export function learn(words) {
  for (const [name, own] of Object.entries(words)) Object.assign(LANGUAGES[name], own);
}

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

/** The word for one of the server's names, `status_failed` for example; a name that has no word stands for itself. */
export function word(kind, name, ...told) {
  const known = `${kind}_${name}`;
  return known in LANGUAGES[language] ? t(known, ...told) : name;
}

/** A whole number as people write it. */
export function count(number) {
  return new Intl.NumberFormat(language).format(number);
}

/** A time in RFC 3339, as people write it where they are. */
export function moment(text) {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(at);
}

/** A size in bytes, as people write it. */
export function size(bytes) {
  const units = ['B', 'KB', 'MB', 'GB'];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const shown = new Intl.NumberFormat(language, { maximumFractionDigits: step ? 1 : 0 }).format(bytes / 1000 ** step);
  return `${shown} ${units[step]}`;
}
