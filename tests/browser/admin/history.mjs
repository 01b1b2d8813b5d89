// History: what happened, the newest first, page by page.

import assert from 'node:assert/strict';
import { until } from '../browser.mjs';
import { program } from '../program.mjs';
import { enter, rows, settled } from './steps.mjs';

export const HISTORY = [
  ['what happened is listed, the newest first, and filtered', async (person, { url }) => {
    const server = program(url);
    await server.inject({ source_id: 'told', source_name: 'Told Label', tokens: ['example-told-1', 'example-told-2'] });
    await server.post('api/accounts/release', { owner: 'source:told', accounts: 'remove' });
    await server.inject({ source_id: 'told', source_name: 'Told Label', strategy: 'replace', tokens: ['example-told-3'] });
    await enter(person, '#/history');
    const [last, before] = await rows(person);
    assert.deepEqual([last.What, last.Outcome, last.Source, last.Strategy, last.Total, last.Added, last['Already there'], last.Removed], ['inject', 'success', 'Told Label', 'Replace', '1', '1', '0', '0']);
    assert.deepEqual([before.What, before.Strategy, before.Removed], ['release', '–', '2']);
    await person.put('Source', 'Told Label');
    await person.says('1 to 3');
    await settled(person);
    await person.put('What', 'inject');
    await person.says('1 to 2');
    await person.put('Outcome', 'failed');
    await person.says('Nothing fits these filters.');
    await person.click('button', 'Clear filters');
    await until(async () => (await rows(person)).length > 0, 5_000, () => 'the filters stay');
    assert.deepEqual((await rows(person))[0], last);
  }],

  ['a long history is turned page by page', async (person, { url }) => {
    const server = program(url);
    for (let n = 0; n < 101; n++) await server.inject({ source_id: 'often', tokens: ['example-often-1'] });
    await enter(person, '#/history?source_id=often');
    await person.says('1 to 100');
    await person.click('button', 'Next page');
    await person.says('101 to 101');
    await person.click('button', 'Previous page');
    await person.says('1 to 100');
  }],
];
