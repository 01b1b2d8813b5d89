// The head of every page: what this is, the way to the other page, and the two settings.

import { byId, make } from './element.js';
import { settle } from './settings.js';

/** Where the pages lie from each other. */
const PAGES = { preview: './', admin: 'admin' };
const LANGUAGES = { en: 'English', zh: '中文' };
const THEMES = ['auto', 'light', 'dark'];

/** Draws the head of `page` and settles its language and theme; `changed` is called after each change of those. */
export function drawHead(page, changed) {
  const links = Object.entries(PAGES).map(([name, href]) =>
    make('a', { href, 'data-text': `page_${name}`, ...(name === page ? { 'aria-current': 'page' } : {}) }));
  const words = make('div', {}, make('h1', {}, 'Tributary'), make('p', { 'data-text': 'tagline' }));
  byId('top').replaceChildren(
    make('div', { className: 'brand' }, make('img', { src: 'icon.svg', alt: '', width: 32, height: 32 }), words),
    make('nav', { className: 'pages', 'data-label': 'pages' }, ...links),
    make('div', { className: 'settings' },
      setting('language', Object.entries(LANGUAGES).map(([value, name]) => [value, make('span', { lang: value }, name)])),
      setting('theme', THEMES.map((value) => [value, make('span', { 'data-text': `theme_${value}` })]))));
  settle(changed);
}

function setting(name, choices) {
  const radio = ([value, words]) => make('label', {}, make('input', { type: 'radio', autocomplete: 'off', name, value }), words);
  return make('fieldset', { className: 'segments', id: name },
    make('legend', { className: 'unseen', 'data-text': name }), ...choices.map(radio));
}
