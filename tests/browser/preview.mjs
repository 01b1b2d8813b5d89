// What the page does, told as what a person does and sees. Each behaviour has a page of its own.

import { Person } from './browser.mjs';
import { OFFLINE } from './preview/offline.mjs';
import { LARGE } from './preview/large.mjs';
import { LIVE } from './preview/live.mjs';
import { LOOKS } from './preview/looks.mjs';

/** The outcome of every behaviour, in order: its name, and what went wrong or null. */
export async function task(browser, told) {
  const outcomes = [];
  const all = [...OFFLINE, ...LIVE, ...LARGE, ...LOOKS];
  // Some alone: `only` is a part of their names.
  for (const [name, act] of all.filter(([name]) => name.includes(told.only ?? ''))) {
    const began = Date.now();
    let wrong = null;
    const person = await Person.at(browser, told.url);
    try {
      await act(person, told, browser);
      if (person.complaints.length > 0) wrong = `the browser complained: ${person.complaints.join(' | ')}`;
    } catch (error) {
      wrong = error.stack ?? String(error);
      await person.picture(`failed-${outcomes.length}`).catch(() => {});
    }
    await person.close();
    outcomes.push({ name, wrong, ms: Date.now() - began });
  }
  return { version: told.version, outcomes };
}
