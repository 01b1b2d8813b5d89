// What pages do, told as what a person does and sees. Each behaviour has a page of its own.

import { Person } from './browser.mjs';

/** The outcome of every behaviour at an address, in order: its name, and what went wrong or null. */
export async function outcomesOf(browser, told, address, all) {
  const outcomes = [];
  // Some alone: `only` is a part of their names.
  for (const [name, act] of all.filter(([name]) => name.includes(told.only ?? ''))) {
    const began = Date.now();
    let wrong = null;
    const person = await Person.at(browser, address);
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
