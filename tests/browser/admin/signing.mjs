// Coming and going: the key, where it is kept, and what happens when it is taken away.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Person, until } from '../browser.mjs';
import { record } from '../files.mjs';
import { program } from '../program.mjs';
import { dialog, enter, forgive, heading, settled, told, view } from './steps.mjs';

const run = promisify(execFile);

/** Whatever the browser keeps for this address, and the address itself. */
const kept = (person) => person.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state]));

/** What has the keyboard. */
const focused = (person) => person.page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? (document.activeElement.id || document.activeElement.textContent));

export const SIGNING = [
  ['a key that is not known is told, and so is one without the right', async (person, { userKey }) => {
    await person.click('button', 'Sign in');
    await person.says('Enter a key.');
    await person.key('wrong');
    await person.click('button', 'Sign in');
    await person.says('The server does not know this key.');
    await person.key(userKey);
    await person.click('button', 'Sign in');
    await person.says('This key is not an administrator’s.');
    await person.choose('中文');
    await person.says('这个密钥没有管理员权限。');
    await person.choose('English');
    assert.equal(await heading(person), '');
    forgive(person, 40);
    await enter(person);
    assert.equal(await heading(person), 'Sources');
  }],

  ['the key stays in the memory of the page, and leaves it only in a header', async (_, { url }, browser) => {
    const wire = await record(url);
    const person = await Person.at(browser, `${wire.url}admin`);
    await enter(person);
    for (const name of ['Accounts', 'Owners', 'Keys', 'History', 'Sources']) await view(person, name);
    assert.ok(!(await kept(person)).includes('admin"') && !(await kept(person)).includes('Bearer'));
    const asked = wire.sent.filter(({ path }) => path.startsWith('/api/'));
    assert.ok(asked.length >= 6 && asked.every(({ path, text }) => !path.includes('=admin') && text.includes('Bearer admin')));
    assert.deepEqual(person.asked().filter((address) => !address.startsWith(wire.url)), []);
    await person.open();
    assert.equal(await person.page.evaluate(() => document.querySelector('#key').value), '');
    await person.says('Sign in');
    assert.equal(await heading(person), '', 'a reload forgets the key');
    assert.deepEqual(person.complaints, []);
    await person.close();
    wire.close();
  }],

  ['a key that is taken away is asked for again, and nothing typed is lost', async (person, { adminKey, cli, data, url }) => {
    await person.key(adminKey);
    await person.click('button', 'Sign in');
    await settled(person);
    await person.click('button', 'Add source');
    await person.put('Name', 'Typed before');
    await person.put('Address', 'http://127.0.0.1:9/typed.json');
    const { stdout } = await run(cli, ['key', 'list', '--data', data]);
    await run(cli, ['key', 'disable', stdout.split('\n').find((line) => line.includes('taken-away')).split(/\s+/)[0], '--data', data]);
    await person.click('button', 'Add');
    await dialog(person, 'The server no longer takes your key');
    await person.accessible('the dialog that asks for a key');
    await person.key('wrong');
    await person.click('button', 'Go on');
    await person.says('The server does not know this key.');
    await person.press('Escape');
    await dialog(person, 'Add source');
    assert.equal(await (await person.box('Address')).evaluate((box) => box.value), 'http://127.0.0.1:9/typed.json');
    await person.click('button', 'Add');
    await dialog(person, 'The server no longer takes your key');
    await person.key('admin');
    await person.click('button', 'Go on');
    await told(person, 'Typed before is added. Sync it to fetch its accounts.');
    const { sources } = await program(url).get('api/remote-account/sources');
    assert.equal(sources.filter(({ name }) => name === 'Typed before').length, 1);
    forgive(person, 401);
  }],

  ['who signs out leaves nothing behind', async (person) => {
    await enter(person, '#/keys');
    await person.click('button', 'Sign out');
    await until(() => person.page.evaluate(() => document.activeElement.id === 'key'), 5_000, () => 'the key is not asked for');
    assert.equal(await heading(person), '');
    assert.ok(!(await person.page.evaluate(() => document.body.innerText)).includes('Create key'));
    await enter(person, '#/accounts?q=example');
    await person.click('button', 'Sign out');
    assert.equal(await person.page.evaluate(() => location.hash), '#/accounts', 'what was searched for stays in the address');
    await enter(person, '#/keys');
    assert.equal(await heading(person), 'Keys');
  }],

  ['a view has an address, so that reload and back work', async (person) => {
    await enter(person, '#/accounts?provider=grok');
    assert.equal(await heading(person), 'Accounts');
    assert.equal(await (await person.box('Provider')).evaluate((box) => box.value), 'grok');
    await view(person, 'History');
    assert.equal(await person.page.title(), 'History · Tributary');
    await person.page.goBack();
    await until(async () => (await heading(person)) === 'Accounts', 5_000, () => 'back does not work');
    assert.equal(await (await person.box('Provider')).evaluate((box) => box.value), 'grok');
    await person.page.reload();
    await enter(person);
    assert.equal(await heading(person), 'Accounts');
    await person.page.goto(`${person.url}#/nowhere`);
    await until(async () => (await heading(person)) === 'Sources', 5_000, () => 'an address of nothing shows nothing');
  }],

  ['what is not there, and a server that is gone, are told', async (_, { url }, browser) => {
    const wire = await record(url);
    const person = await Person.at(browser, `${wire.url}admin`);
    await enter(person, `#/accounts/${'0'.repeat(32)}`);
    await person.says('This account is not in the pool.');
    await person.accessible('a view that failed');
    wire.close();
    await person.click('link', 'Keys');
    await person.says('The server cannot be reached.');
    await person.click('button', 'Try again');
    await person.says('The server cannot be reached.');
    await person.close();
  }],

  ['one page leads to the other', async (person) => {
    for (const [link, title] of [['Preview', 'Tributary: preview of an import'], ['Admin', 'Tributary: admin']]) {
      await Promise.all([person.page.waitForNavigation(), person.click('link', link)]);
      await person.page.waitForSelector('html[data-ready="true"]');
      assert.equal(await person.page.title(), title);
    }
  }],

  ['everything can be done with the keyboard alone', async (person) => {
    await person.page.keyboard.type('admin');
    await person.press('Enter');
    await settled(person);
    await person.press('Tab');
    const reach = async (wanted) => {
      for (let step = 0; step < 90 && (await focused(person)) !== wanted; step++) await person.press('Tab');
      assert.equal(await focused(person), wanted);
    };
    await reach('Add source');
    await person.press('Enter');
    await dialog(person, 'Add source');
    await person.page.keyboard.type('By keyboard');
    await person.press('Tab', 'Tab');
    await person.page.keyboard.type('http://127.0.0.1:9/keyboard.json');
    await person.press('Enter');
    await told(person, /^By keyboard is added/);
    assert.equal(await focused(person), 'Add source', 'the keyboard comes back');
    await reach('Disable By keyboard');
    await person.press(' ');
    await told(person, 'By keyboard is disabled.');
    await until(async () => (await focused(person)) === 'Enable By keyboard', 5_000, () => 'the keyboard is lost');
    await reach('Delete By keyboard');
    await person.press('Enter');
    await dialog(person, 'Delete By keyboard?');
    await person.press('Escape');
    assert.equal(await focused(person), 'Delete By keyboard', 'the keyboard comes back');
  }],
];
