// How it looks, for everyone: no violation that axe-core finds, no word missing, and pictures for people to judge.

import assert from 'node:assert/strict';
import { upstream } from '../files.mjs';
import { program } from '../program.mjs';
import { dialog, enter, forgive, settled } from './steps.mjs';
import { until } from '../browser.mjs';

const SIZES = [['desktop', { width: 1440, height: 900 }], ['phone', { width: 390, height: 844 }], ['tablet', { width: 1024, height: 768 }], ['small', { width: 320, height: 700 }]];
const VIEWS = ['sources', 'accounts', 'owners', 'keys', 'history'];

const tokens = (from, to) => JSON.stringify({ accounts: Array.from({ length: to - from }, (_, n) => ({ token: `example-looks-${from + n}`, type: n % 3 ? 'free' : 'plus', status: ['正常', '限流', '异常'][n % 3], quota: n * 7, success: n * 3, fail: n % 4 })) });

/** A source that answers much less than before, changes some, and some that cannot be taken. */
async function breakDown(server) {
  const replies = { '/lately.json': { body: tokens(20, 40) } };
  const far = await upstream(replies);
  const { source: { id } } = await server.post('api/remote-account/sources', { name: 'Broken lately', url: `${far.url}lately.json`, sync_strategy: 'replace' });
  await server.post(`api/remote-account/sources/${id}/sync`);
  replies['/lately.json'].body = '{"accounts": [{"token": "example-looks-20", "quota": 99, "note": "back soon"},\n"example-looks-50", {"token": "example-looks-21", "status": 5},\n"example-looks-20"]}';
  await server.post(`api/remote-account/sources/${id}/sync`).catch(() => {});
  return { id, far };
}

/** A pool as one finds it in the wild. */
async function furnish(url) {
  const server = program(url);
  const far = await upstream({ '/team.json': { body: tokens(0, 9) }, '/grok.json': { body: tokens(6, 14) } });
  const sources = [
    { name: 'Team GPT Source', url: `${far.url}team.json`, provider: 'gpt', interval_seconds: 3600 },
    { name: 'Header Protected Grok Source', url: `${far.url}grok.json`, provider: 'grok', sync_strategy: 'replace', auth_header: 'X-Example', auth_token: 'example' },
    { name: 'Gone away', url: `${far.url}nothing.json` },
    { name: 'Not yet synced', url: 'http://accounts.example.test/webchat2api.json', method: 'POST', enabled: false },
  ];
  for (const source of sources) {
    const { source: { id, enabled } } = await server.post('api/remote-account/sources', source);
    // One of them fails, as in the wild.
    if (enabled) await server.post(`api/remote-account/sources/${id}/sync`).catch(() => {});
  }
  await server.post('api/accounts', { tokens: ['example-by-hand-1', 'example-by-hand-2'], provider: 'gpt' });
  await server.inject({ source_id: 'manual-grok', source_name: 'Manual Grok', strategy: 'replace', provider: 'grok', accounts: [{ token: 'example-looks-3', metadata: { team: 'ops' } }] });
  for (const [name, role] of [['Mirror', 'reader'], ['Ann’s laptop', 'user']]) await server.post('api/auth/users', { name, role });
  far.close();
  await server.post('api/accounts/update', { access_token: 'example-by-hand-1', quota: 3, status: '限流' });
  return breakDown(server);
}

/** Fails where the page is wider than its window, or shows the name of a text instead of the text. */
async function sound(person, what) {
  const wide = await person.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${what}: the page is wider than the window by ${wide}`);
  const nameless = await person.page.evaluate(() => {
    const said = [document.body.innerText, ...[...document.querySelectorAll('[aria-label]')].map((node) => node.getAttribute('aria-label'))].join('\n');
    return said.match(/\b(?:col|view|field|hint|filter|choice|status|job|fate|error|owner|page|key|sync|verdict|was|fact|part|phase|left|by|cause|skip|note|guard|plan|undo|removal)_[a-z_]+|undefined|\[object/g);
  });
  const known = ['remote_source_id', 'remote_source_name', 'owner_names', 'guard_percent', 'guard_floor'];
  assert.deepEqual((nameless ?? []).filter((name) => !known.some((one) => one.includes(name))), [], what);
}

/** Views of one thing, each with its address. */
async function onesOf(server, broken) {
  const newest = async (query) => (await server.get(`api/remote-account/jobs?limit=1&${query}`)).items[0].job_id;
  const { items: [{ id }] } = await server.get('api/accounts?limit=1');
  return [
    ['account', `accounts/${id}`],
    ['plan', `sources/${broken}`],
    ['job', `history/${await newest('kind=sync&outcome=success')}`],
    ['job-blocked', `history/${await newest('outcome=blocked')}`],
    ['job-failed', `history/${await newest('outcome=failed')}`],
  ];
}

async function show(person, hash) {
  await person.page.evaluate((to) => { location.hash = to; }, hash);
  await settled(person);
}

export const LOOKS = [
  ['every view is accessible, in light and dark, at a desk and on a phone, in both languages', async (person, { url }) => {
    const { id: broken, far } = await furnish(url);
    await person.accessible('the box for the key');
    await person.picture('admin-sign-in');
    await enter(person);
    const ones = await onesOf(program(url), broken);
    for (const [size, viewport] of SIZES) {
      await person.page.setViewport(viewport);
      for (const [language, theme] of [['English', 'Light'], ['English', 'Dark'], ['中文', '浅色'], ['中文', '深色']]) {
        await person.choose(language);
        await person.choose(theme);
        const look = `${language === 'English' ? 'en' : 'zh'}-${['Dark', '深色'].includes(theme) ? 'dark' : 'light'}-${size}`;
        for (const [name, hash] of [...VIEWS.map((view) => [view, view]), ...ones]) {
          await show(person, `#/${hash}`);
          await sound(person, `${name}, ${look}`);
          await person.accessible(`${name}, ${look}`);
          if (!['small', 'tablet'].includes(size)) await person.picture(`admin-${name}-${look}`);
        }
      }
    }
    far.close();
    forgive(person, 502);
    await person.page.evaluate(() => localStorage.clear());
  }],

  ['every dialog is accessible on a phone, in the dark and in Chinese', async (person, { url }) => {
    const { job_id: undoable } = (await program(url).get('api/remote-account/jobs?source_id=manual-grok&limit=1')).items[0];
    const short = undoable.slice(0, 12);
    await enter(person);
    await person.page.setViewport(SIZES[1][1]);
    await person.choose('Dark');
    await person.choose('中文');
    for (const [view, what, button, title] of [
      ['sources', 'add', '添加来源', '添加来源'],
      ['sources', 'edit', '编辑 Team GPT Source', '编辑 Team GPT Source'],
      ['sources', 'delete', '删除 Team GPT Source', '删除 Team GPT Source？'],
      ['sources', 'policy', '规则 Broken lately', 'Broken lately 的规则'],
      ['accounts', 'add', '添加账号', '添加账号'],
      ['owners', 'release', '释放 手动添加', '释放 手动添加 的账号？'],
      ['history', 'undo', `撤销 注入：Manual Grok, ${short}`, '撤销“注入：Manual Grok”？'],
      ['keys', 'create', '创建密钥', '创建密钥'],
      ['keys', 'rename', '重命名 Mirror', '重命名 Mirror'],
    ]) {
      await show(person, `#/${view}`);
      await person.click('button', button);
      await dialog(person, title);
      await sound(person, title);
      await person.accessible(title);
      await person.picture(`admin-dialog-${view}-${what}`);
      await person.press('Escape');
      await until(() => person.page.evaluate(() => !document.querySelector('dialog')), 5_000, () => 'the dialog stays');
    }
    await person.page.evaluate(() => localStorage.clear());
  }],
];
