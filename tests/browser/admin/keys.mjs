// Keys: made and shown once, renamed, disabled, deleted.

import assert from 'node:assert/strict';
import { until } from '../browser.mjs';
import { program } from '../program.mjs';
import { dialog, enter, rows, told } from './steps.mjs';

const row = async (person, name) => (await rows(person)).find((one) => one.Name === name);

export const KEYS = [
  ['a key is created and shown once, renamed, disabled and deleted', async (person, { url }) => {
    await enter(person, '#/keys');
    await person.click('button', 'Create key');
    await dialog(person, 'Create key');
    await person.click('button', 'Create');
    await person.says('Name is needed.');
    await person.put('Name', 'Monitoring');
    await person.put('Role', 'reader');
    await person.click('button', 'Create');
    await dialog(person, 'The key of Monitoring');
    const key = await person.page.$eval('dialog[open] pre', (node) => node.textContent);
    assert.match(key, /^sk-[0-9a-f]{48}$/);
    await person.accessible('the dialog that shows a key');
    await person.click('button', 'Copy');
    const copied = () => person.page.$eval('dialog[open] [role="status"]', (node) => node.textContent);
    await until(async () => /^(Copied\.|Could not copy)/.test(await copied()), 5_000, () => 'nothing says whether it is copied');
    await person.click('button', 'Close');
    await told(person, 'The key of Monitoring is created.');
    assert.ok(!(await person.page.content()).includes(key), 'it is shown once');
    const payload = (bearer) => fetch(new URL('api/accounts/payload', url), { headers: { Authorization: `Bearer ${bearer}` } }).then(({ status }) => status);
    assert.equal(await payload(key), 200);

    await person.click('button', 'Rename Monitoring');
    await person.put('Name', 'Monitoring 2');
    await person.click('button', 'Save');
    await told(person, 'Monitoring is now called Monitoring 2.');
    const shown = await row(person, 'Monitoring 2');
    assert.deepEqual([shown.Role, shown.State, shown['Last used'].slice(0, 2)], ['reader', 'enabled', '20']);

    await person.click('button', 'Disable Monitoring 2');
    await told(person, 'Monitoring 2 is disabled.');
    assert.equal(await payload(key), 401);
    await person.click('button', 'Enable Monitoring 2');
    await told(person, 'Monitoring 2 is enabled.');
    assert.equal(await payload(key), 200);
    await person.click('button', 'Delete Monitoring 2');
    await dialog(person, 'Delete Monitoring 2?');
    await person.click('button', 'Delete');
    await told(person, 'Monitoring 2 is deleted.');
    assert.equal(await payload(key), 401);
    assert.ok((await program(url).get('api/auth/users')).items.every(({ name }) => name !== 'Monitoring 2'));
  }],
];
