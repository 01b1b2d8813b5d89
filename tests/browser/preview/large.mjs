// A large payload: the page stays quick, and shows what it is doing.

import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { until } from '../browser.mjs';

const MANY = 100_000;
/** Longest time for which the page may not answer, in ms, on a machine that others use too. */
const PATIENCE = 400;

/** 100,000 accounts, some 100 MB. */
async function largeFile(folder) {
  const path = join(folder, 'large.json');
  const file = createWriteStream(path);
  const note = 'n'.repeat(800);
  file.write('{"accounts":[\n');
  for (let n = 0; n < MANY; n++) {
    const line = `${n ? ',' : ''}{"token":"example-large-token-${n}","type":"plus","email":"a${n}@example.test","quota":${n},"note":"🌊 ${note}"}\n`;
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

export const LARGE = [
  ['100,000 accounts and 100 MB leave the page quick', async (person, { folder }) => {
    await person.reads('Merge would add 4.');
    const path = await largeFile(folder);
    await watch(person);
    await person.file(path);
    await person.reads('Merge would add 100,000.', 60_000);
    await person.says('100,000 rows');
    const { pause, phases } = await person.page.evaluate(() => globalThis.watched);
    for (const phase of ['Reading', 'Planning', 'Drawing']) assert.ok(phases.includes(phase), `${phase} is not among ${phases}`);
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
