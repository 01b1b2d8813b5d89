// Owners: who has how many accounts, and what happens when one is released.

import assert from 'node:assert/strict';
import { program } from '../program.mjs';
import { canPress, dialog, enter, heading, rows, settled, told } from './steps.mjs';
import { until } from '../browser.mjs';

const row = async (person, name) => (await rows(person)).find((one) => one.Owner === name);

export const OWNERS = [
  ['owners are listed with what they are, and lead to their accounts', async (person, { url }) => {
    await program(url).inject({ source_id: 'listed', source_name: 'Listed Label', tokens: ['example-listed-1', 'example-listed-2'] });
    await enter(person, '#/owners');
    const { Actions, ...label } = await row(person, 'Listed Label');
    assert.deepEqual(label, { Owner: 'Listed Label', What: 'label of injects', 'Source id': 'listed', Accounts: '2' });
    assert.equal((await row(person, 'added by hand')).What, 'people');
    await person.click('link', 'Show accounts Listed Label');
    await until(async () => (await heading(person)) === 'Accounts', 5_000, () => 'no accounts');
    await person.says('2 accounts fit these filters.');
    await person.page.goBack();
    await until(async () => (await heading(person)) === 'Owners', 5_000, () => 'back does not work');
  }],

  ['an owner is released, and its accounts are kept or removed', async (person, { url }) => {
    const server = program(url);
    await server.inject({ source_id: 'kept', source_name: 'Kept Label', tokens: ['example-kept-1', 'example-kept-2'] });
    await server.inject({ source_id: 'gone', source_name: 'Gone Label', tokens: ['example-kept-2', 'example-gone-1', 'example-gone-2'] });
    await enter(person, '#/owners');
    await person.click('button', 'Release Gone Label');
    await dialog(person, 'Release the accounts of Gone Label?');
    await (await person.box('Remove them. Accounts that nobody else owns leave the pool. What others also own stays theirs.')).click();
    assert.ok(!(await canPress(person, 'Release')));
    await person.put('Type 3 to confirm that accounts which nobody else owns are removed', '3');
    await person.accessible('the dialog that releases');
    await person.click('button', 'Release');
    await told(person, 'Gone Label is released: 1 stay with other owners, 0 kept as added by hand, 2 removed.');
    assert.equal(await row(person, 'Gone Label'), undefined);
    await person.click('button', 'Release Kept Label');
    await person.click('button', 'Release');
    await told(person, 'Kept Label is released: 0 stay with other owners, 2 kept as added by hand, 0 removed.');
    await settled(person);
    const pool = await server.pool();
    assert.ok(!pool.has('example-gone-1') && pool.get('example-kept-2').owners.local);
  }],
];
