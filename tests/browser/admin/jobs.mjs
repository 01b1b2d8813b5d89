// One job: what is told of it, and how it is undone.

import assert from 'node:assert/strict';
import { until } from '../browser.mjs';
import { upstream } from '../files.mjs';
import { program } from '../program.mjs';
import { canPress, counted, dialog, enter, facts, forgive, headed, heading, rows, settled, told } from './steps.mjs';

const JOBS = 'api/remote-account/jobs';
const newest = async (server) => (await server.get(`${JOBS}?limit=1`)).items[0];
const short = (id) => id.slice(0, 12);
const job = (id) => `job ${short(id)}`;
const tokens = async (server, start) => [...(await server.pool()).keys()].filter((token) => token.startsWith(start)).sort();

/** The job that an inject of `body` made. */
async function injected(server, body) {
  await server.inject(body);
  return newest(server);
}

export const JOB = [
  ['a job is told with everything: who, when, what, how long, and what was not taken', async (person, { url }) => {
    const server = program(url);
    const body = '{"accounts": ["example-job-1", "example-job-2", "example-job-1", {"email": "ann@example.test"}]}';
    const far = await upstream({ '/job.json': { body } });
    const { source } = await server.post('api/remote-account/sources', { name: 'Job Source', url: `${far.url}job.json` });
    await server.post(`api/remote-account/sources/${source.id}/sync`);
    const { job_id: id } = await newest(server);
    await enter(person, '#/history');
    const [row] = await rows(person);
    assert.deepEqual([row.What, row.Outcome, row.By, row.Job], ['sync', 'success', 'admin secret', short(id)]);
    await person.click('link', short(id));
    await headed(person, 'Sync of Job Source success');
    assert.match(await person.page.evaluate(() => location.hash), new RegExp(`^#/history/${id}$`));
    const all = await facts(person, 'What is told of it');
    assert.deepEqual([all.By, all.Source, all.Strategy, all['Accounts named'], all.Payload], ['admin secret', 'Job Source · Show its accounts', 'Merge', '2', `${body.length} B`]);
    assert.deepEqual(await facts(person, 'Entries not taken'), { 'Same token as an earlier entry': '1', 'No token in it': '1' });
    const phases = await facts(person, 'Time it took');
    assert.deepEqual(Object.keys(phases), ['Fetching from the source', 'Waiting for other writes', 'Deciding and writing']);
    for (const time of Object.values(phases)) assert.match(time, /^[\d,.]+ ms$/);
    assert.deepEqual(await counted(person), ['2 added']);
    await person.accessible('a job');
    await person.click('link', 'Job Source');
    await headed(person, 'Sources');
    assert.equal(await person.page.$eval('#view tr.chosen strong', (node) => node.textContent), 'Job Source');
    await person.page.goBack();
    await headed(person, 'Sync of Job Source success');
    await person.click('link', '← All of the history');
    await headed(person, 'History');
    far.close();
  }],

  ['a failed job says why, in the list and in full', async (person, { url }) => {
    const server = program(url);
    await server.inject({ accounts: 'none' }).catch(() => {});
    const failed = await newest(server);
    await enter(person, '#/history?outcome=failed');
    assert.equal((await rows(person))[0].Outcome.replace(/\s+/g, ' '), 'failed The payload has no list of accounts or tokens.');
    await person.click('link', short(failed.job_id));
    await headed(person, 'Inject failed');
    await person.says(`The server says: ${failed.error}`);
    await person.choose('中文');
    await person.says('载荷中没有账号或 Token 列表。');
    await person.choose('English');
    await person.page.goto(`${person.url}#/history/none`);
    await person.says('This job is not in the history.');
    forgive(person, 404);
    await person.page.evaluate(() => localStorage.clear());
  }],

  ['an undo shows what it would change, asks for the number that goes, and is itself undone', async (person, { url }) => {
    const server = program(url);
    const first = await injected(server, { source_id: 'undone', source_name: 'Undone Label', accounts: [{ token: 'example-undo-1', n: 1234567 }, 'example-undo-2'] });
    await enter(person, '#/history?source_id=undone');
    await person.click('button', `Undo inject of Undone Label, ${first.job_id.slice(0, 12)}`);
    await dialog(person, 'Undo the inject of Undone Label?');
    assert.deepEqual(await counted(person), ['2 Remove']);
    assert.equal((await rows(person)).filter((row) => row.Changes === 'Nobody owns it any more').length, 2);
    assert.ok(!(await canPress(person, 'Undo')), 'what goes is typed');
    await person.put('Type 2 to confirm that 2 accounts are deleted', '2');
    await person.accessible('the dialog that undoes');
    await person.picture('admin-undo');
    await person.click('button', 'Undo');
    await told(person, /^It is undone by job [0-9a-f]{12}2 removed$/);
    assert.deepEqual(await tokens(server, 'example-undo-'), []);
    const undone = await newest(server);
    assert.deepEqual([undone.kind, undone.undoes], ['undo', first.job_id]);
    const row = (await rows(person)).find((one) => one.Job === short(first.job_id));
    assert.match(row.Outcome, /^success\s+undone$/);

    await person.click('link', short(first.job_id));
    await headed(person, 'Inject of Undone Label success');
    assert.equal((await facts(person, 'What is told of it'))['Undone by'], job(undone.job_id));
    await person.click('link', job(undone.job_id));
    await until(async () => /^Undo/.test(await heading(person)), 5_000, () => 'the undo is not shown');
    assert.equal((await facts(person, 'What is told of it')).Undoes, job(first.job_id));
    await person.clickLabelled(/^Undo undo/);
    await dialog(person, `Undo the ${(await heading(person)).replace(/ success$/, '').replace(/^U/, 'u')}?`);
    await person.says('n 1234567');
    await person.click('button', 'Undo');
    await told(person, /^It is undone by job [0-9a-f]{12}2 added$/);
    assert.deepEqual(await tokens(server, 'example-undo-'), ['example-undo-1', 'example-undo-2']);
  }],

  ['an undo tells what it leaves, and why', async (person, { url }) => {
    const server = program(url);
    await server.inject({ source_id: 'left', source_name: 'Left Label', accounts: [{ token: 'example-left-1', note: 'a', quota: 1 }, 'example-left-2'] });
    const second = await injected(server, { source_id: 'left', accounts: [{ token: 'example-left-1', note: 'b', quota: 7 }, 'example-left-3'] });
    await server.inject({ source_id: 'others', tokens: ['example-left-3'] });
    await server.post('api/accounts/update', { access_token: 'example-left-1', quota: 8 });
    await enter(person, `#/history/${second.job_id}`);
    await person.clickLabelled(/^Undo inject/);
    await dialog(person, 'Undo the inject of Left Label?');
    await person.says('Left as it is');
    await person.says('quota was changed since.');
    await person.says('It has other owners now: it stays, without the owner that the job gave it.');
    assert.ok((await rows(person)).some((row) => row.Changes.includes('note "b" → "a"')), JSON.stringify(await rows(person)));
    await person.picture('admin-undo-left');
    await person.click('button', 'Undo');
    await told(person, /2 left as it is; the job says why\.$/);
    const pool = await server.pool();
    assert.deepEqual([pool.get('example-left-1').note, pool.get('example-left-1').quota], ['a', 8]);
    await person.page.goto(`${person.url}#/history/${(await newest(server)).job_id}`);
    await settled(person);
    await person.says('quota was changed since.');
    // Somebody else is quicker.
    const third = await injected(server, { source_id: 'left', tokens: ['example-left-4'] });
    await person.page.goto(`${person.url}#/history/${third.job_id}`);
    await headed(person, 'Inject of Left Label success');
    await server.post(`${JOBS}/${third.job_id}/undo`);
    await person.clickLabelled(/^Undo inject/);
    await told(person, /^The server refused: the job is undone by job/);
    forgive(person, 409);
  }],
];
