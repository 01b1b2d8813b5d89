// A large payload: the page stays quick, and shows what it is doing.

import assert from 'node:assert/strict';
import { createWriteStream, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { until } from '../browser.mjs';
import { program } from '../program.mjs';

const MANY = 100_000;
/** Longest time for which the page may not answer, in ms, on a machine that others use too. */
const PATIENCE = 400;

const account = (n, note) => ({ token: `example-large-token-${n}`, type: 'plus', email: `a${n}@example.test`, quota: n, note: `🌊 ${note}` });

/** A file with so many accounts, each with a note of so many bytes. */
async function largeFile(folder, many, bytes) {
  const path = join(folder, 'large.json');
  const file = createWriteStream(path);
  const note = 'n'.repeat(bytes);
  file.write('{"accounts":[\n');
  for (let n = 0; n < many; n++) {
    const line = `${n ? ',' : ''}${JSON.stringify(account(n, note))}\n`;
    if (!file.write(line)) await once(file, 'drain');
  }
  file.end(']}');
  await once(file, 'finish');
  return path;
}

/** Measures the longest pause between two turns of the page, and what the page says meanwhile. */
async function watch(person) {
  await person.page.evaluate(() => {
    const seen = { pause: 0, phases: [] };
    let last = performance.now();
    globalThis.watched = seen;
    const look = () => {
      const now = performance.now();
      seen.pause = Math.max(seen.pause, now - last);
      last = now;
      const said = document.querySelector('[role="status"]').textContent.split(' ')[0];
      if (seen.phases.at(-1) !== said) seen.phases.push(said);
      seen.timer = setTimeout(look, 4);
    };
    look();
  });
}

/** The anonymous memory of a program and those that it started, in bytes. */
function memoryOf(program) {
  const parents = new Map();
  const memory = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      parents.set(pid, Number(/^PPid:\s+(\d+)/m.exec(status)[1]));
      memory.set(pid, Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024);
    } catch {
      // It has ended meanwhile.
    }
  }
  const isOf = (pid) => pid === program || (parents.has(pid) && isOf(parents.get(pid)));
  return [...memory].filter(([pid]) => isOf(pid)).reduce((sum, [, bytes]) => sum + bytes, 0);
}

/** The most memory that a program takes until `work` has ended, over what it took before, in bytes. */
async function mostMemory(program, work) {
  const before = memoryOf(program);
  let most = before;
  const looking = setInterval(() => { most = Math.max(most, memoryOf(program)); }, 100);
  try {
    await work();
  } finally {
    clearInterval(looking);
  }
  return most - before;
}

export const LARGE = [
  ['1 GB is planned from its file and held nowhere', async (person, { folder }, browser) => {
    const many = 800_000;
    await person.reads('Merge would add 4.');
    const path = await largeFile(folder, many, 1_130);
    const began = performance.now();
    const most = await mostMemory(browser.process().pid, async () => {
      await person.file(path);
      await person.reads('Merge would add 800,000.', 110_000);
    });
    console.error(`1 GB: ${((performance.now() - began) / 1000).toFixed(1)} s, ${most >> 20} MiB`);
    assert.ok(most < 700 << 20, `${most >> 20} MiB more than before`);
    await person.says('800,000 rows');
    await (await person.row(0)).click();
    await person.press('End');
    await until(async () => (await person.rows()).some((row) => row[0] === String(many - 1)), 10_000, () => 'the last row does not come');
    await (await person.row(many - 1)).click();
    const told = () => person.page.$eval('#details', (panel) => panel.textContent);
    await until(async () => (await told()).includes(`a${many - 1}@example.test`), 10_000, async () => `the fields of the last: ${await told()}`);
    rmSync(path);
  }],
  ['a file that is not held is compared with the live pool', async (person, { folder, url }) => {
    const [many, bytes, source] = [45_000, 800, `large-${process.env.BROWSER}`];
    const note = 'n'.repeat(bytes);
    const accounts = [account(0, note), { ...account(1, note), quota: 77 }, account(2, note), account(many, note)];
    await program(url).inject({ source_id: source, accounts });
    const path = await largeFile(folder, many, bytes);
    await person.click('radio', 'Replace');
    await person.fill('textbox', 'Source id', source);
    await person.click('radio', 'Live pool');
    await person.key('admin');
    await person.file(path);
    await person.reads('Replace would add 44,997, update 1, keep 2 and remove 1 of 4 (25.0 %).', 60_000);
    const told = () => person.page.$eval('#details', (panel) => panel.textContent);
    await until(async () => (await person.rows()).some((row) => row[1] === '~ Update'), 10_000, () => 'no update is in sight');
    await (await person.row(1)).click();
    await until(async () => /quota.*77.*1/.test(await told()), 10_000, async () => `what the update changes: ${await told()}`);
    await person.click('button', 'Inject …');
    await person.fill('textbox', 'Type 1 to confirm that 1 account is removed', '1');
    await person.click('button', 'Inject');
    await person.says('Injected: 44,997 added, 3 already there, 1 removed. Just as previewed.', 60_000);
    rmSync(path);
  }],
  ['100,000 accounts and 100 MB leave the page quick', async (person, { folder }) => {
    await person.reads('Merge would add 4.');
    const path = await largeFile(folder, MANY, 800);
    await watch(person);
    await person.file(path);
    await person.reads('Merge would add 100,000.', 60_000);
    await person.says('100,000 rows');
    const { pause, phases } = await person.page.evaluate(() => globalThis.watched);
    for (const phase of ['Planning', 'Drawing']) assert.ok(phases.includes(phase), `${phase} is not among ${phases}`);
    assert.ok(pause < PATIENCE, `the page stood still for ${Math.round(pause)} ms`);
    assert.equal(await person.page.$eval('textarea', (area) => area.value.length), 0);
    assert.ok((await person.rows()).length < 60, 'the table draws only what is in sight');

    await (await person.row(0)).click();
    await person.press('End');
    await until(async () => (await person.rows()).some((row) => row[0] === String(MANY - 1)), 10_000, () => 'the last row does not come');
    await (await person.row(MANY - 1)).click();
    const marked = () => person.page.$eval('section pre mark', (mark) => mark.textContent).catch(() => '');
    await until(async () => (await marked()).startsWith(`{"token":"example-large-token-${MANY - 1}"`), 10_000, async () => `marked: ${(await marked()).slice(0, 60)}`);
    await person.picture('large');
    await person.page.setViewport({ width: 800, height: 600 });
    await until(async () => (await person.rows()).length < 60, 5_000, () => 'a small window draws too much');
    await person.page.setViewport({ width: 1440, height: 900 });

    await person.choose('Replace');
    await person.reads('Replace needs a source id', 30_000);
    await person.choose('Merge');
    await person.clickSoon('Cancel');
    await person.says('Cancelled.');
    await person.click('button', 'Plan again');
    await person.reads('Merge would add 100,000.', 60_000);
    await person.sample('Three tokens');
    await person.reads('Merge would add 3.');
  }],
];
