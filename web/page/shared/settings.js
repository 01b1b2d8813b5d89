// Language and theme: the only two things that the browser keeps.

import { choose } from './element.js';
import { speak } from './text.js';

const CHOICES = { language: ['en', 'zh'], theme: ['auto', 'light', 'dark'] };

/** Takes what is kept, else what the browser prefers; `changed` is called after each change of language. */
export function settle(changed) {
  const spoken = navigator.languages.map((name) => name.slice(0, 2).toLowerCase());
  const preferred = spoken.find((name) => CHOICES.language.includes(name)) ?? 'en';
  apply('language', kept('language') ?? preferred);
  apply('theme', kept('theme') ?? 'auto');
  for (const name of Object.keys(CHOICES)) {
    document.getElementById(name).addEventListener('change', ({ target }) => {
      keep(name, target.value);
      apply(name, target.value);
      changed(name);
    });
  }
}

function apply(name, value) {
  choose(name, value);
  if (name === 'theme') document.documentElement.dataset.theme = value;
  else speak(value);
}

function kept(name) {
  try {
    const value = localStorage.getItem(`tributary-${name}`);
    return CHOICES[name].includes(value) ? value : null;
  } catch {
    return null;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(`tributary-${name}`, value);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}
