// Without the live pool: nothing is asked of anyone.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Person, until } from '../browser.mjs';
import { record, serveFiles } from '../files.mjs';

const json = JSON.stringify;

export const OFFLINE = [
  ['a sample is there from the start, with its plan', async (person) => {
    await person.reads('Merge would add 4.');
    await person.row(7);
    const rows = await person.rows();
    assert.equal(rows.length, 8);
    assert.deepEqual(rows[0].slice(0, 4), ['0', '+ Add', 'gpt', 'exa…n-1']);
    assert.deepEqual(rows[3], ['3', '⊘ Skip', '–', '–', 'Same token as entry 0']);
    await person.says('4 entries are not taken.');
  }],

  ['the plan follows the text, and no request is made', async (_, { url }, browser) => {
    const wire = await record(url);
    const person = await Person.at(browser, wire.url);
    await person.reads('Merge would add 4.');
    // What a browser asks of its own accord, an icon for example, comes with the page.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = wire.sent.length;
    await person.write('["example-token-1"]');
    await person.reads('Merge would add 1.');
    await person.write('["example-token-1", "example-token-2"]');
    await person.reads('Merge would add 2.');
    await person.click('radio', 'Replace');
    await person.reads('Replace needs a source id');
    await person.fill('textbox', 'Source id', 'manual-gpt');
    await person.reads('Replace would add 2 and remove none.');
    await person.click('button', '2 Add');
    await (await person.row(1)).click();
    await person.says('Entry 1: Add');
    assert.deepEqual(wire.sent.slice(before).map(({ path }) => path), []);
    assert.deepEqual(await person.page.evaluate(() => Object.keys(localStorage)), []);
    assert.deepEqual(person.asked().filter((address) => !address.startsWith(wire.url)), []);
    await person.close();
    wire.close();
  }],

  ['a file is dropped, and a large text pasted', async (person) => {
    await person.reads('Merge would add 4.');
    await person.page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['["example-token-1"]'], 'dropped.json'));
      for (const type of ['dragover', 'drop']) document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    });
    await person.reads('Merge would add 1.');
    await person.page.evaluate(() => {
      const clipboardData = new DataTransfer();
      const tokens = Array.from({ length: 50_000 }, (_, n) => `example-pasted-token-${n}`);
      const data = JSON.stringify(tokens);
      clipboardData.setData('text/plain', data);
      // Firefox reads `data` where others read `clipboardData`.
      const paste = { clipboardData, dataType: 'text/plain', data, bubbles: true, cancelable: true };
      document.querySelector('textarea').dispatchEvent(new ClipboardEvent('paste', paste));
    });
    await person.reads('Merge would add 50,000.');
    await person.says('is too large for the editor');
    await person.sample('Three tokens');
    await person.reads('Merge would add 3.');
    assert.ok((await person.page.$eval('textarea', (area) => area.value)).startsWith('{'));
  }],

  ['the provider of entries without one is chosen', async (person) => {
    await person.write('["example-token-1", {"token": "example-token-2", "provider": "gpt"}]');
    await (await person.named('combobox', 'Provider of entries without one').waitHandle()).select('grok');
    await until(async () => (await person.rows())[0]?.[2] === 'grok', 10_000, () => 'the first entry is not grok');
    assert.equal((await person.rows())[1][2], 'gpt');
  }],

  ['an entry is selected at its place behind a byte order mark and emoji', async (person, { folder }) => {
    const entry = '{"token": "example-👩‍🚀-2", "note": "Fluß 河"}';
    const file = join(folder, 'emoji.json');
    await writeFile(file, `\ufeff[\n  "example-🌊-token-1",\n  ${entry}, "example-token-3"]`);
    await person.file(file);
    await person.reads('Merge would add 3.');
    await (await person.row(1)).click();
    await until(async () => (await person.selected()) === entry, 5_000, async () => `selected: ${await person.selected()}`);
    await (await person.row(2)).click();
    await until(async () => (await person.selected()) === '"example-token-3"', 5_000, async () => `selected: ${await person.selected()}`);
  }],

  ['a mistake in the text is shown at its place', async (person) => {
    await person.sample('Fails: a comma too many');
    await person.reads('The payload is not valid JSON');
    await person.says('Line 5, column 3');
    await person.click('button', 'Show the place');
    const at = await person.page.$eval('textarea', (area) => [document.activeElement === area, area.value.slice(area.selectionStart)]);
    assert.deepEqual(at, [true, ']\n}']);
    await person.picture('mistake');
    await person.sample('Fails: no list in it');
    await person.reads('The payload must contain `accounts` or `tokens`');
    await person.sample('Fails: replace cannot guess');
    await person.reads('Replace needs a readable token in every entry, and entry 1 has none');
    await person.says('Line 5, column 3');
  }],

  ['who writes in the middle keeps the caret, whatever is planned meanwhile', async (person) => {
    await person.write('["example-1", "example-2"]');
    await person.page.$eval('textarea', (area) => area.setSelectionRange(1, 1));
    // So slowly that each letter is planned, and is no JSON yet.
    await person.page.keyboard.type('"example-0", '.slice(0, 5), { delay: 400 });
    await person.reads('The payload is not valid JSON');
    await person.page.keyboard.type('"example-0", '.slice(5));
    assert.equal(await person.page.$eval('textarea', (area) => area.value), '["example-0", "example-1", "example-2"]');
    await person.reads('Merge would add 3.');
  }],

  ['rows are filtered by their verdict', async (person) => {
    await person.reads('Merge would add 4.');
    await person.click('button', '4 Skip');
    const skips = async () => (await person.rows()).map((row) => row[1]).join();
    await until(async () => await skips() === '⊘ Skip,⊘ Skip,⊘ Skip,⊘ Skip', 5_000, () => 'not four skips');
    await person.click('button', '8 All');
    await until(async () => (await person.rows()).length === 8, 5_000, () => 'not all rows');
  }],

  ['a chosen entry tells every field, and a duplicate leads to the first', async (person) => {
    await person.reads('Merge would add 4.');
    await (await person.row(3)).click();
    await person.says('Entry 3: Skip');
    await person.click('button', 'Go to entry 0');
    await person.says('Entry 0: Add');
    await (await person.row(6)).click();
    await person.says('quota has the wrong type: not taken');
    const shown = await person.page.$eval('section[aria-labelledby="details-title"]', (node) => node.innerText);
    assert.match(shown, /refresh_token\s+none\s+"…"/);
  }],

  ['an entry that lies far away is gone to through a filter', async (person) => {
    const tokens = Array.from({ length: 5_000 }, (_, n) => `example-far-${n}`);
    await person.write(json([...tokens, tokens[3_000]]));
    await person.reads('Merge would add 5,000.');
    await person.click('button', '1 Skip');
    await until(async () => (await person.rows()).length === 1, 5_000, () => 'not one row');
    await (await person.row(5_000)).click();
    await person.click('button', 'Go to entry 3000');
    await person.says('Entry 3000: Add');
    const sight = await person.page.evaluate(() => {
      const [row, box] = [document.activeElement, document.querySelector('#scroller')].map((node) => node.getBoundingClientRect());
      return row.top >= box.top && row.bottom <= box.bottom;
    });
    assert.ok(sight, 'the row has the keyboard and is in sight');
  }],

  ['a page whose wasm did not come once plans all the same', async (_, { web }, browser) => {
    const missing = { '/tributary_web_bg.wasm': '' };
    const files = await serveFiles(web, missing);
    const visitor = await Person.at(browser, files.url);
    await visitor.says('The preview broke off');
    delete missing['/tributary_web_bg.wasm'];
    await visitor.write('["example-1"]');
    await visitor.reads('Merge would add 1.');
    await visitor.close();
    files.close();
  }],

  ['numbers are shown as they were written', async (person) => {
    await person.write('[{"token": "example-token-1", "big": 12345678901234567890, "exact": 1.10}]');
    await person.reads('Merge would add 1.');
    await person.says('12345678901234567890');
    await person.says('1.10');
  }],

  ['the keyboard alone is enough', async (person) => {
    await person.reads('Merge would add 4.');
    await (await person.named('button', '8 All').waitHandle()).focus();
    for (let tabs = 0; tabs < 12; tabs++) {
      await person.press('Tab');
      if (await person.page.evaluate(() => document.activeElement.getAttribute('role') === 'row')) break;
    }
    await person.press('ArrowDown', 'ArrowDown', 'Enter');
    await until(async () => (await person.selected()).includes('example-grok-token-1'), 5_000, async () => `selected: ${await person.selected()}`);
    assert.equal(await person.page.evaluate(() => document.activeElement.tagName), 'TEXTAREA');
    await person.press('Escape', 'End');
    const focused = await person.page.evaluate(() => document.activeElement.getAttribute('aria-rowindex'));
    assert.equal(focused, '9');
  }],

  ['language and theme are kept, and nothing else', async (person) => {
    await person.choose('中文');
    await person.reads('合并将新增 4 个。');
    await person.choose('深色');
    assert.equal(await person.page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'dark');
    await person.open();
    await person.reads('合并将新增 4 个。');
    const kept = await person.page.evaluate(() => ({ ...localStorage, lang: document.documentElement.lang }));
    assert.equal(json(Object.entries(kept).sort()), json([['lang', 'zh-CN'], ['tributary-language', 'zh'], ['tributary-theme', 'dark']]));
    await person.picture('zh-dark');
    await person.choose('English');
    await person.choose('Auto');
    await person.page.evaluate(() => localStorage.clear());
  }],

  ['an emptied page offers samples', async (person) => {
    await person.click('button', 'Clear');
    await person.reads('Nothing to plan yet');
    await person.picture('empty');
    await person.click('button', 'Three tokens');
    await person.reads('Merge would add 3.');
  }],

  ['a file that is no text is planned as it is', async (person, { folder }) => {
    const file = join(folder, 'bytes.json');
    await writeFile(file, Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]));
    await person.file(file);
    await person.reads('The payload is not valid UTF-8');
    await person.says('Byte 2');
  }],

  ['any static file server will do', async (person, { web }, browser) => {
    const files = await serveFiles(web);
    const visitor = await Person.at(browser, files.url);
    await visitor.reads('Merge would add 4.');
    assert.deepEqual(visitor.asked().filter((url) => !url.startsWith(files.url)), []);
    await visitor.click('radio', 'Live pool');
    await visitor.key('admin');
    await visitor.reads('No Tributary server answers at this address.');
    await visitor.close();
    files.close();
  }],
];
