// Sources: added, edited, synced, disabled, deleted.

import assert from 'node:assert/strict';
import { until } from '../browser.mjs';
import { upstream } from '../files.mjs';
import { program } from '../program.mjs';
import { canPress, dialog, enter, forgive, rows, settled, told } from './steps.mjs';

const list = async (url) => (await program(url).get('api/remote-account/sources')).sources;
const named = async (url, name) => (await list(url)).find((source) => source.name === name);
const row = async (person, name) => (await rows(person)).find((one) => one.Source.startsWith(name));

/** Adds a source as a program does. */
const add = (url, source) => program(url).post('api/remote-account/sources', source);
const tokens = (...names) => JSON.stringify({ tokens: names });

export const SOURCES = [
  ['a source is added with all its fields, and edited; its secrets are written and never read', async (person, { url }) => {
    await enter(person);
    await person.click('button', 'Add source');
    await person.click('button', 'Add');
    await person.says('Address is needed.');
    await person.put('Name', 'Whole Source');
    await person.put('Address', 'http://127.0.0.1:9/whole.json');
    await person.put('Method', 'POST');
    await person.put('Provider of entries without one', 'grok');
    await person.put('Strategy', 'Replace');
    await person.put('Interval in seconds', '0');
    await person.click('button', 'Add');
    await person.says('Interval in seconds must be a whole number of at least 1.');
    await person.put('Interval in seconds', '3600');
    await person.put('Bearer token', 'example-bearer');
    await person.put('Header', 'X-Example-Key');
    await person.put('Value of the header', 'example-header');
    await person.picture('admin-source-form');
    await person.click('button', 'Add');
    await told(person, /^Whole Source is added/);
    const { id, ...added } = await named(url, 'Whole Source');
    assert.deepEqual(added, {
      name: 'Whole Source', enabled: true, url: 'http://127.0.0.1:9/whole.json', method: 'POST', auth_header: 'X-Example-Key', provider: 'grok',
      sync_strategy: 'replace', interval_seconds: 3600, last_sync_at: '', import_job: null, has_auth_token: true, has_bearer_token: true,
    });

    await person.click('button', 'Edit Whole Source');
    await dialog(person, 'Edit Whole Source');
    assert.ok(!(await person.page.content()).includes('example-bearer'));
    assert.equal(await (await person.box('Bearer token')).evaluate((box) => box.value), '');
    await person.put('Interval in seconds', '');
    await person.click('button', 'Save');
    await person.says('Interval in seconds can be changed, but not taken away.');
    await person.put('Interval in seconds', '60');
    await person.put('Header', '');
    await (await person.box('Remove the stored value of the header')).click();
    await person.click('button', 'Save');
    await told(person, 'Whole Source is saved.');
    const edited = await named(url, 'Whole Source');
    assert.deepEqual([edited.id, edited.interval_seconds, edited.auth_header, edited.has_auth_token, edited.has_bearer_token], [id, 60, '', false, true]);

    await person.click('button', 'Edit Whole Source');
    await person.put('Address', 'ftp://127.0.0.1/');
    await person.click('button', 'Save');
    await person.says('The server refused:');
    await person.click('button', 'Cancel');
    forgive(person, 422);
  }],

  ['a sync shows that it runs, then what it brought, and what was not taken', async (person, { url }) => {
    let release;
    const held = new Promise((resolve) => { release = resolve; });
    const body = JSON.stringify({ accounts: ['example-sync-1', { token: 'example-sync-2' }, { email: 'ann@example.test' }] });
    const answers = { '/pool.json': { body, held } };
    const far = await upstream(answers);
    await add(url, { name: 'Synced', url: `${far.url}pool.json`, bearer_token: 'example-bearer' });
    await enter(person);
    await person.click('button', 'Sync Synced');
    await told(person, 'Synced is being synced …');
    assert.match((await row(person, 'Synced'))['Latest sync'], /Syncing/);
    assert.ok(!(await canPress(person, 'Sync Synced')), 'one sync at a time');
    release();
    await told(person, /^Synced is synced: 2 added, 0 already there, 0 removed · 1 entry not taken\. job [0-9a-f]{12}$/);
    await until(() => person.page.evaluate(() => document.activeElement.getAttribute('aria-label') === 'Sync Synced'), 5_000, () => 'the keyboard is lost');
    assert.equal(far.asked[0].headers.authorization, 'Bearer example-bearer');
    const { import_job: job } = await named(url, 'Synced');
    const shown = (await row(person, 'Synced'))['Latest sync'];
    assert.ok(shown.startsWith('success') && shown.includes(`2 added, 0 already there, 0 removed · 1 entry not taken\njob ${job.job_id.slice(0, 12)}`), shown);

    answers['/pool.json'] = { status: 500 };
    await person.click('button', 'Sync Synced');
    await told(person, /^Synced is not synced\. The source answered with an error\. job [0-9a-f]{12}$/);
    assert.match((await row(person, 'Synced'))['Latest sync'], /^failed/);
    await person.picture('admin-sync-failed');
    far.close();
    forgive(person, 502);
  }],

  ['a sync that somebody else started is seen to end', async (person, { url }) => {
    let release;
    const held = new Promise((resolve) => { release = resolve; });
    const far = await upstream({ '/slow.json': { body: tokens('example-slow-1'), held } });
    const { source } = await add(url, { name: 'Slow', url: `${far.url}slow.json` });
    const syncing = program(url).post(`api/remote-account/sources/${source.id}/sync`);
    await until(() => far.asked.length === 1, 5_000, () => 'no sync');
    await enter(person);
    assert.match((await row(person, 'Slow'))['Latest sync'], /Syncing/);
    release();
    await syncing;
    await until(async () => (await row(person, 'Slow'))['Latest sync'].includes('1 added'), 10_000, () => 'its end is not seen');
    far.close();
  }],

  ['a source is disabled and enabled', async (person, { url }) => {
    await add(url, { name: 'Switched', url: 'http://127.0.0.1:9/' });
    await enter(person);
    await person.click('button', 'Disable Switched');
    await told(person, 'Switched is disabled.');
    assert.equal((await row(person, 'Switched')).State, 'disabled');
    assert.ok(!(await canPress(person, 'Sync Switched')));
    await person.click('button', 'Enable Switched');
    await told(person, 'Switched is enabled.');
    assert.equal((await named(url, 'Switched')).enabled, true);
  }],

  ['who deletes a source says what becomes of its accounts', async (person, { url }) => {
    const server = program(url);
    const far = await upstream(Object.fromEntries(['keep', 'release', 'remove'].map((fate) => [`/${fate}.json`, { body: tokens(`example-${fate}-1`, `example-${fate}-2`) }])));
    for (const fate of ['keep', 'release', 'remove']) {
      const { source } = await add(url, { name: `To ${fate}`, url: `${far.url}${fate}.json` });
      await server.post(`api/remote-account/sources/${source.id}/sync`);
    }
    // Somebody else put one of those there, too.
    await server.inject({ tokens: ['example-remove-2'] });
    await enter(person);

    await person.click('button', 'Delete To keep');
    await dialog(person, 'Delete To keep?');
    await person.says('It owns 2 accounts, some of which others may own as well.');
    await person.click('button', 'Delete');
    await told(person, /^To keep is deleted; its accounts stay\./);

    await person.click('button', 'Delete To release');
    await (await person.box('Release them. They stay. Those that nobody else owns count as added by hand.')).click();
    await person.click('button', 'Delete');
    await told(person, 'To release is deleted; its accounts are released.');

    await person.click('button', 'Delete To remove');
    await (await person.box('Remove them. Accounts that nobody else owns leave the pool. What others also own stays theirs.')).click();
    assert.ok(!(await canPress(person, 'Delete')), 'removing needs a typed number');
    const number = 'Type 2 to confirm that accounts which nobody else owns are removed';
    await person.put(number, '3');
    assert.ok(!(await canPress(person, 'Delete')), 'another number will not do');
    await person.put(number, '2');
    await person.accessible('the dialog that deletes a source');
    await person.picture('admin-source-delete');
    await person.click('button', 'Delete');
    await told(person, 'To remove is deleted, with the accounts that nobody else owns.');

    const pool = await server.pool();
    assert.deepEqual([...pool.keys()].filter((token) => /^example-(keep|release|remove)-/.test(token)).sort(), ['example-keep-1', 'example-keep-2', 'example-release-1', 'example-release-2', 'example-remove-2']);
    assert.equal(pool.get('example-keep-1').owners.local, false);
    assert.equal(pool.get('example-release-1').owners.local, true);
    await settled(person);
    assert.ok((await list(url)).every(({ name }) => !name.startsWith('To ')));
    far.close();
  }],
];
