// Against the live pool of the server: by fingerprint, and then for real.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Person, until } from '../browser.mjs';
import { record } from '../files.mjs';
import { program } from '../program.mjs';

const LOOKUP = '/api/remote-account/pool/lookup';

/** Compares with the live pool under a source. */
async function compare(person, { source, strategy = 'Replace' }) {
  await person.click('radio', strategy);
  await person.fill('textbox', 'Source id', source);
  await person.click('radio', 'Live pool');
  await person.key('admin');
}

/** Waits until a dialog asks. */
const asks = (person) => until(() => person.page.evaluate(() => document.querySelector('dialog[open]') !== null), 10_000, () => 'nothing asks');

/** What became of an account between two exports, in the words of the page; null when it has nothing to do with `source`. */
function verdict(before, after, source) {
  const same = (a, b) => JSON.stringify({ ...a, remote_injected_at: '' }) === JSON.stringify({ ...b, remote_injected_at: '' });
  if (!before) return '+ Add';
  if (!after) return '− Remove';
  const owned = (account) => account.owners.sources.includes(source);
  if (owned(before) && !owned(after)) return '↗ Release';
  if (!owned(after)) return null;
  return same(before, after) ? '= Unchanged' : '~ Update';
}

const tally = (names) => names.filter(Boolean).sort().join(', ');

export const LIVE = [
  ['what is previewed is what is then done', async (visitor, { url }, browser) => {
    const server = program(url);
    const wire = await record(url);
    const person = await Person.at(browser, wire.url);
    const source = `preview-${process.env.BROWSER}`;
    const token = (n) => `example-${source}-${n}`;
    const accounts = Array.from({ length: 16 }, (_, n) => ({ token: token(n), type: 'free', refresh_token: `example-refresh-${n}` }));
    await server.inject({ source_id: source, accounts });
    await server.inject({ source_id: 'somebody-else', tokens: [token(15), 'example-of-others'] });
    await server.inject({ tokens: [token(3)] });
    const before = await server.pool();

    const kept = accounts.slice(0, 14).map((account, n) => (n === 2 ? { ...account, type: 'plus' } : account));
    const news = [token(20), { token: token(21), refresh_token: 'example-refresh-21', n: 12345678901234567890n.toString() }];
    await compare(person, { source });
    await person.write(JSON.stringify([...kept, ...news], null, 1));
    await person.reads('Replace would add 2, update 1, keep 13, release 1 and remove 1 of 16 (6.3 %).');
    await person.picture('live');
    await person.page.setViewport({ width: 1440, height: 1800 });
    await until(async () => (await person.rows()).length === 18, 5_000, () => 'not all rows in sight');
    const rows = await person.rows();

    assert.ok(wire.sent.filter(({ path }) => path === LOOKUP).length >= 2);
    const secrets = [...accounts, { token: token(20) }, { token: token(21) }].flatMap((account) => [account.token, account.refresh_token]);
    for (const { path, text } of wire.sent) {
      for (const secret of secrets.filter(Boolean)) assert.ok(!text.includes(secret), `a secret left the page for ${path}`);
    }

    await person.click('button', 'Inject …');
    await asks(person);
    const yes = await person.named('button', 'Inject').setWaitForEnabled(false).waitHandle();
    assert.ok(await yes.evaluate((button) => button.disabled), 'removing needs a typed number');
    const number = 'Type 1 to confirm that 1 account is removed';
    await person.fill('textbox', number, '2');
    assert.ok(await yes.evaluate((button) => button.disabled), 'another number will not do');
    await person.fill('textbox', number, '1');
    await person.accessible('the dialog that asks');
    await yes.click();
    await person.says('Injected: 2 added, 14 already there, 1 removed. Just as previewed.');
    assert.notEqual(await person.page.evaluate(() => document.activeElement.localName), 'body', 'the keyboard is lost');
    await person.reads('Replace would keep 16 and remove none.');

    const after = await server.pool();
    const all = new Set([...before.keys(), ...after.keys()]);
    const done = [...all].map((name) => verdict(before.get(name), after.get(name), source));
    assert.equal(tally(rows.map((row) => row[1])), tally(done));
    const told = rows.find((row) => row[1] === '~ Update');
    assert.deepEqual([told[0], told[4]], ['2', 'type "free" → "plus"']);
    assert.equal(after.get(token(2)).type, 'plus');
    assert.ok(wire.sent.some(({ text }) => text.includes(token(20))), 'the record sees what is sent');
    assert.deepEqual(person.complaints, []);
    await person.close();
    wire.close();
  }],

  ['a pool that moved is looked at again before anything is injected', async (person, { url }) => {
    const server = program(url);
    const source = `moving-${process.env.BROWSER}`;
    await compare(person, { source, strategy: 'Merge' });
    await person.write(`["example-${source}-1", "example-${source}-2"]`);
    await person.reads('Merge would add 2.');
    await server.inject({ source_id: source, tokens: [`example-${source}-1`] });
    await person.click('button', 'Inject …');
    await person.says('The pool changed since the preview.');
    await person.reads('Merge would add 1 and keep 1.');
    const button = await person.named('button', 'Inject …').waitHandle();
    await button.click({ count: 2 });
    await asks(person);
    await person.click('button', 'Inject');
    await person.says('Injected: 1 added, 1 already there, 0 removed. Just as previewed.');
    assert.equal(await person.page.$('dialog[open]'), null, 'a double click asks once');
  }],

  ['what changes while a person confirms is looked at again, and nothing is injected', async (person, { url }) => {
    const server = program(url);
    const source = `confirming-${process.env.BROWSER}`;
    const token = (n) => `example-${source}-${n}`;
    await compare(person, { source, strategy: 'Merge' });
    await person.write(JSON.stringify([token(1), token(2)]));
    await person.reads('Merge would add 2.');
    await person.click('button', 'Inject …');
    await asks(person);
    await server.inject({ source_id: source, tokens: [token(1)] });
    await person.click('button', 'Inject');
    await person.says('The plan is another one by now.');
    await person.reads('Merge would add 1 and keep 1.');
    assert.ok(!(await server.pool()).has(token(2)));
    const refused = await server.get(`api/remote-account/jobs?source_id=${source}&outcome=failed`);
    assert.deepEqual(refused.items.map(({ cause }) => cause), ['plan_differs']);
    assert.ok(person.complaints.every((said) => said.includes('409')), person.complaints.join());
    person.complaints.length = 0;
  }],

  ['a source whose accounts stay out of use is previewed so', async (person, { url }) => {
    const server = program(url);
    const stored = await server.post('api/remote-account/sources', { name: 'Disabling', url: 'http://a.example.test/' });
    const source = stored.source.id;
    const token = (n) => `example-${source}-${n}`;
    await server.post(`api/remote-account/sources/${source}/policy`, { removal: 'disable' });
    await server.inject({ source_id: source, tokens: [token(1), token(2)] });
    await compare(person, { source });
    await person.write(JSON.stringify([token(1)]));
    await person.reads('Replace would keep 1, disable 1 and remove none.');
    await person.click('button', 'Inject …');
    await person.fill('textbox', 'Type 1 to confirm that 1 account is disabled', '1');
    await person.click('button', 'Inject');
    await person.says('Injected: 0 added, 1 already there, 1 disabled. Just as previewed.');
    assert.equal((await server.pool()).get(token(2)).status, '禁用');
  }],

  ['a byte order mark and emoji are injected as previewed', async (person, { url, folder }) => {
    const token = `example-🌊-${process.env.BROWSER}`;
    const file = join(folder, 'marked.json');
    await writeFile(file, `\ufeff{"tokens": ["${token}"]}`);
    await person.file(file);
    await compare(person, { source: 'emoji', strategy: 'Merge' });
    await person.reads('Merge would add 1.');
    await person.click('button', 'Inject …');
    await person.click('button', 'Inject');
    await person.says('Just as previewed.');
    assert.ok((await program(url).pool()).has(token));
  }],

  ['a key that is not known is told, and so is one without the right', async (person, { userKey }) => {
    await person.click('radio', 'Live pool');
    await person.reads('Enter the admin key to compare with the live pool');
    await person.key('wrong');
    await person.reads('The server does not know this key.');
    await person.key(userKey);
    await person.reads('This key is not an administrator’s.');
    assert.ok(person.complaints.every((said) => said.includes('40')), person.complaints.join());
    person.complaints.length = 0;
  }],

  ['rows asked for while another plan is on its way are those of the plan that is there', async (person) => {
    const heard = await person.page.evaluate(() => new Promise((resolve) => {
      const worker = new Worker(new URL('./preview/worker.js', document.baseURI), { type: 'module' });
      const plan = (id, note, key) => worker.postMessage({ kind: 'plan', id, source: `[{"token":"example-of-rows-1","note":"${note}"}]`, options: { strategy: 'merge' }, key });
      const rows = (id, of) => worker.postMessage({ kind: 'rows', id, plan: of, verdict: 'all', from: 0, count: 1 });
      const seen = [];
      worker.onmessage = ({ data }) => {
        if (data.kind === 'rows') seen.push(data.rows[0].fields.find(({ name }) => name === 'note').after);
        if (data.kind === 'planned') {
          // The next one waits for the server, which does not know this key.
          plan(2, 'second', 'wrong');
          rows(2, 1);
          // Another plan than the one that is there has none.
          rows(2, 2);
        }
        if (data.kind === 'failed') {
          seen.push(data.code);
          worker.terminate();
          resolve(seen);
        }
      };
      plan(1, 'first', null);
    }));
    assert.deepEqual(heard, ['"first"', 'unauthorized']);
    person.complaints.length = 0;
  }],

  ['a payload that cannot be read leaves nothing of the one before', async (person) => {
    const heard = await person.page.evaluate(() => new Promise((resolve) => {
      const worker = new Worker(new URL('./preview/worker.js', document.baseURI), { type: 'module' });
      const plan = (id, source) => worker.postMessage({ kind: 'plan', id, source, options: { strategy: 'merge' }, key: null });
      const seen = [];
      worker.onmessage = ({ data }) => {
        if (data.kind === 'phase') return;
        seen.push(data.kind);
        // The second is nothing that can be read, the third is what was there before.
        if (data.id === 3) return resolve(seen);
        plan(data.id + 1, data.id === 1 ? { size: 1 } : null);
      };
      plan(1, '["example-of-before-1"]');
    }));
    assert.deepEqual(heard, ['planned', 'failed', 'failed']);
  }],

  ['nothing is injected by options that are not planned yet', async (person) => {
    const source = `stale-${process.env.BROWSER}`;
    await person.write('["example-stale-1"]');
    await compare(person, { source, strategy: 'Merge' });
    await person.reads('Merge would add 1.');
    const isDisabled = () => person.page.$eval('#inject', (button) => button.disabled);
    await until(async () => !(await isDisabled()), 5_000, () => 'it cannot be injected');
    const disabled = await person.page.evaluate(() => {
      document.querySelector('input[value="replace"]').click();
      return document.getElementById('inject').disabled;
    });
    assert.ok(disabled, 'a replace is not planned yet');
    await person.reads('Replace would add 1 and remove none.');
    await until(async () => !(await isDisabled()), 5_000, () => 'it cannot be injected');
  }],

  ['the same import as curl works in a shell', async (person, { folder }) => {
    const name = `it's "curl" ${process.env.BROWSER}`;
    await person.fill('textbox', 'Source id', name);
    await person.write(`["example-${process.env.BROWSER}-curl"]`);
    await person.reads('Merge would add 1.');
    await person.click('button', 'Copy as curl');
    const command = await person.page.$eval('dialog[open] pre', (node) => node.textContent);
    await person.accessible('the dialog with the command');
    await person.click('button', 'Close');
    assert.ok(!command.includes('example-') && command.includes('ADMIN_KEY') && command.includes('payload.json'));
    await writeFile(join(folder, 'payload.json'), `["example-${process.env.BROWSER}-curl"]`);
    const run = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', command.replace('ADMIN_KEY', 'admin')], { cwd: folder });
    const answer = JSON.parse((await run).stdout);
    assert.deepEqual([answer.added, answer.source_id], [1, name]);
  }],
];
