// How it looks, for everyone: no violation that axe-core finds, and pictures for people to judge.

import assert from 'node:assert/strict';

const SIZES = [['desktop', { width: 1440, height: 900 }], ['phone', { width: 390, height: 844 }]];

export const LOOKS = [
  ['everything is accessible, in light and dark, on a desk and on a phone', async (person) => {
    await person.reads('Merge would add 4.');
    for (const [size, viewport] of SIZES) {
      await person.page.setViewport(viewport);
      for (const theme of ['Light', 'Dark']) {
        await person.choose(theme);
        await person.click('button', 'Clear');
        await person.reads('Nothing to plan yet');
        await person.accessible(`nothing, ${theme}, ${size}`);
        await person.sample('A list that needs care');
        await person.reads('Merge would add 4.');
        await (await person.row(2)).click();
        await person.says('Entry 2: Add');
        await person.accessible(`a plan, ${theme}, ${size}`);
        await person.picture(`plan-${theme.toLowerCase()}-${size}`);
        await person.sample('Fails: a comma too many');
        await person.reads('The payload is not valid JSON');
        await person.accessible(`a mistake, ${theme}, ${size}`);
      }
      const wide = await person.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${size}: the page is wider than the window by ${wide}`);
    }
    await person.page.evaluate(() => localStorage.clear());
  }],
];
