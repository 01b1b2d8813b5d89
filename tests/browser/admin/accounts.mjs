// Accounts: added by hand, found, paged, shown, edited, deleted.

import assert from 'node:assert/strict';
import { until } from '../browser.mjs';
import { upstream } from '../files.mjs';
import { program } from '../program.mjs';
import { canPress, dialog, enter, heading, rows, settled, told } from './steps.mjs';

const found = async (url, query) => program(url).get(`api/accounts?${new URLSearchParams(query)}`);

/** Filters by one box, and waits for the rows. */
async function filter(person, label, text) {
  const before = await person.page.evaluate(() => location.hash);
  await person.put(label, text);
  await person.press('Enter');
  await until(async () => (await person.page.evaluate(() => location.hash)) !== before, 5_000, () => 'the address stays');
  await settled(person);
}

export const ACCOUNTS = [
  ['accounts are added by hand as tokens or JSON, and what is not taken is told', async (person, { url }) => {
    await enter(person, '#/accounts');
    await person.click('button', 'Add accounts');
    await dialog(person, 'Add accounts');
    assert.ok(!(await canPress(person, 'Add')), 'there is nothing to add');
    await person.put('Tokens or JSON', 'example-hand-1\n  example-hand-2 \n\n');
    await person.put('Provider of entries without one', 'grok');
    await person.click('button', 'Add');
    await told(person, '2 added, 0 updated, 0 unchanged.');
    await person.click('button', 'Add accounts');
    await person.put('Tokens or JSON', '[{"token": "example-hand-3", "n": 12345678901234567890}, {"email": "ann@example.test"}, "example-hand-3"]');
    await person.click('button', 'Add');
    await told(person, '1 added, 0 updated, 0 unchanged.2 entries not takenEntry 1: No token in itEntry 2: Same token as entry 0');
    await person.click('button', 'Add accounts');
    await person.put('Tokens or JSON', '{"tokens": ["example-hand-4",]}');
    await person.click('button', 'Add');
    await person.says('This begins like JSON and is not valid JSON.');
    await person.click('button', 'Cancel');
    const pool = await program(url).pool();
    assert.deepEqual(['example-hand-1', 'example-hand-2', 'example-hand-3'].map((token) => pool.get(token)?.provider), ['grok', 'grok', 'gpt']);
    assert.ok(!pool.has('example-hand-4'));
  }],

  ['accounts are found by filters and by fingerprint', async (person, { url }) => {
    await program(url).inject({ source_id: 'found', source_name: 'Found Label', provider: 'grok', accounts: [
      { token: 'example-found-1', type: 'plus', status: '限流', email: 'found@example.test' }, { token: 'example-found-2', type: 'basic' },
    ] });
    await enter(person, '#/accounts');
    await filter(person, 'Owner', 'Found Label');
    await person.says('2 accounts fit these filters.');
    await filter(person, 'Status', '限流');
    await person.says('1 account fits these filters.');
    const [row] = await rows(person);
    assert.deepEqual([row.Provider, row.Type, row.Status, row.Owners], ['grok', 'plus', '限流', 'Found Label']);
    await person.click('button', 'Clear filters');
    await settled(person);
    const { items: [, second] } = await found(url, { owner: 'source:found' });
    await filter(person, 'Search', second.id.slice(0, 10));
    assert.deepEqual((await rows(person)).map((one) => one.Fingerprint), [second.id.slice(0, 12)]);
    await filter(person, 'Search', 'FOUND@example');
    assert.equal((await rows(person)).length, 1);
    await filter(person, 'Type', 'basic');
    await person.says('Nothing fits these filters.');
    assert.match(await person.page.evaluate(() => location.hash), /^#\/accounts\?q=FOUND%40example&type=basic$/);
  }],

  ['a large pool is turned page by page', async (person, { url }) => {
    const tokens = Array.from({ length: 230 }, (_, n) => `example-page-${String(n).padStart(3, '0')}`);
    await program(url).inject({ source_id: 'paged', tokens });
    await enter(person, '#/accounts?owner=source%3Apaged');
    await person.says('1 to 100 of 230');
    assert.equal((await rows(person)).length, 100);
    const [first] = await rows(person);
    const scrolled = () => person.page.evaluate(() => Math.round(scrollY));
    await person.click('button', 'Next page');
    await person.says('101 to 200 of 230');
    await until(async () => (await scrolled()) === 0, 5_000, () => 'a new page begins in its middle');
    await person.page.evaluate(() => scrollTo(0, 400));
    await person.click('link', (await rows(person))[10].Fingerprint);
    await until(async () => (await heading(person)).startsWith('Account '), 5_000, () => 'the account is not shown');
    const left = await person.page.evaluate(() => document.activeElement.id);
    assert.equal(left, 'view', 'the keyboard is in the view');
    await person.page.goBack();
    await person.says('101 to 200 of 230');
    await until(async () => (await scrolled()) > 100, 5_000, () => 'back begins at the top');
    await person.click('button', 'Next page');
    await person.says('201 to 230 of 230');
    assert.equal((await rows(person)).length, 30);
    await person.click('button', 'Previous page');
    await person.says('101 to 200 of 230');
    await person.page.reload();
    await enter(person);
    await person.says('101 to 200 of 230');
    await program(url).post('api/accounts/release', { owner: 'source:paged', accounts: 'remove' });
    await person.page.reload();
    await enter(person);
    await person.says('Nothing is left on this page.');
    await program(url).inject({ source_id: 'paged', tokens });
    await person.click('button', 'First page');
    await person.says('1 to 100 of 230');
    assert.equal((await rows(person))[0].Fingerprint, first.Fingerprint);
  }],

  ['an account is shown with all its fields and no secret, and edited', async (person, { url }) => {
    const progress = '[{"n": 1.10}]';
    await program(url).inject({ accounts: [{ token: 'example-shown-token', refresh_token: 'canary-secret', email: 'shown@example.test', metadata: { team: 'ops' } }] });
    const { items: [{ id, token }] } = await found(url, { q: 'shown@example' });
    await enter(person, '#/accounts?q=shown%40example');
    await person.click('link', id.slice(0, 12));
    await until(async () => (await heading(person)) === `Account ${token}`, 5_000, () => 'the account is not shown');
    await settled(person);
    const shown = await person.page.$$eval('#view tbody tr', (all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
    assert.deepEqual(Object.fromEntries(shown).metadata, '{"team":"ops"}');
    assert.deepEqual([Object.fromEntries(shown).refresh_token, Object.fromEntries(shown).owners], ['…', 'added by hand']);
    assert.ok(!(await person.page.content()).includes('canary-secret'));

    await person.click('button', 'Edit');
    await dialog(person, `Edit ${token}`);
    await person.put('Status', '限流');
    await person.put('Quota', '9007199254740993');
    await person.click('button', 'Save');
    await person.says('Quota must be a whole number of at least 0.');
    await person.put('Quota', '9007199254740991');
    await person.put('Restores at', '2026-12-01T00:00:00+00:00');
    await person.put('Progress of limits', '{}');
    await person.click('button', 'Save');
    await person.says('Progress of limits must be a list in JSON.');
    await person.put('Progress of limits', progress);
    await (await person.box('Image quota unknown')).click();
    await person.accessible('the dialog that edits an account');
    await person.picture('admin-account-edit');
    await person.click('button', 'Save');
    await told(person, `${token} is saved.`);
    const account = (await program(url).pool()).get('example-shown-token');
    assert.deepEqual([account.status, account.quota, account.restore_at, account.image_quota_unknown, account.limits_progress], ['限流', 9007199254740991, '2026-12-01T00:00:00+00:00', true, [{ n: 1.1 }]]);
    await person.says('[{"n":1.10}]');

    await person.click('button', 'Edit');
    await person.put('Restores at', '');
    await person.click('button', 'Save');
    await told(person, `${token} is saved.`);
    assert.equal((await program(url).pool()).get('example-shown-token').restore_at, '');
    await person.click('button', 'Edit');
    await person.click('button', 'Save');
    await told(person, 'Nothing was changed.');
    await person.click('link', '← All accounts');
    await person.says('1 account fits these filters.');
  }],

  ['one account is deleted, or several, and sources that bring them back are told', async (person, { url }) => {
    const server = program(url);
    const far = await upstream({ '/back.json': { body: JSON.stringify({ tokens: [1, 2, 3, 4].map((n) => `example-back-${n}`) }) } });
    const { source } = await server.post('api/remote-account/sources', { name: 'Bringer', url: `${far.url}back.json` });
    await server.post(`api/remote-account/sources/${source.id}/sync`);
    far.close();
    await enter(person, `#/accounts?owner=source%3A${source.id}`);
    const { items } = await found(url, { source_id: source.id });
    for (const { token } of items.slice(0, 2)) await person.click('checkbox', `Select ${token}`);
    await person.says('2 selected');
    await person.click('button', 'Delete selected');
    await dialog(person, 'Delete 2 accounts?');
    assert.ok(!(await canPress(person, 'Delete')));
    await person.put('Type 2 to confirm that 2 accounts are deleted', '2');
    await person.accessible('the dialog that deletes accounts');
    await person.click('button', 'Delete');
    await told(person, '2 accounts are deleted. The next sync of Bringer may bring 2 back.');
    assert.equal((await rows(person)).length, 2);

    await person.click('checkbox', 'Select all of this page');
    await person.says('2 selected');
    await person.click('button', 'Clear selection');
    await person.click('link', items[2].id.slice(0, 12));
    await until(async () => (await heading(person)).startsWith('Account '), 5_000, () => 'the account is not shown');
    await settled(person);
    await person.click('button', 'Delete');
    await dialog(person, 'Delete 1 account?');
    await person.press('Escape');
    await person.click('button', 'Delete');
    await dialog(person, 'Delete 1 account?');
    await person.page.evaluate(() => [...document.querySelectorAll('dialog[open] button')].at(-1).focus());
    await person.press('Enter');
    await told(person, '1 account is deleted. The next sync of Bringer may bring 1 back.');
    await person.says('1 account fits these filters.');
    assert.deepEqual((await found(url, { source_id: source.id })).items.map(({ id }) => id), [items[3].id]);
  }],
];
