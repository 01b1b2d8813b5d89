// Plans of sources: seen, approved, and another one by then; and the policy of a source.

import assert from 'node:assert/strict';
import { Person, until } from '../browser.mjs';
import { upstream } from '../files.mjs';
import { program } from '../program.mjs';
import { canPress, counted, dialog, enter, forgive, headed, heading, rows, settled, told } from './steps.mjs';

const SOURCES = 'api/remote-account/sources';
const row = async (person, name) => (await rows(person)).find((one) => one.Source.startsWith(name));

/** A source of strategy replace, synced once, and what it answers from then on: `answers(body)` changes that. */
async function guarded(url, name, body) {
  const replies = { '/pool.json': { body } };
  const far = await upstream(replies);
  const server = program(url);
  const { source } = await server.post(SOURCES, { name, url: `${far.url}pool.json`, sync_strategy: 'replace' });
  await server.post(`${SOURCES}/${source.id}/sync`);
  return { server, far, id: source.id, answers: (next) => { replies['/pool.json'].body = next; } };
}

const numbered = (name, from, to) => JSON.stringify({ tokens: Array.from({ length: to - from }, (_, n) => `example-${name}-${String(from + n).padStart(2, '0')}`) });
const owned = async (server, id) => (await server.get(`api/accounts?source_id=${id}&count=true`)).total;

export const PLANS = [
  ['a plan tells changes, skips with line and reason, and notes; exactly that is synced', async (person, { url }) => {
    const { server, far, id, answers } = await guarded(url, 'Planned', '{"accounts": [{"token": "example-planned-1", "quota": 1}, "example-planned-2"]}');
    answers('{"accounts": [\n  {"token": "example-planned-1", "quota": 5},\n  {"token": "example-planned-3", "status": 7},\n  "example-planned-1"\n]}');
    await enter(person);
    await person.click('button', 'Plan Planned');
    await headed(person, 'Plan of Planned');
    const shown = await rows(person);
    assert.deepEqual(shown.map((one) => one.What).sort(), ['+ Add', '~ Update', '− Remove'].sort());
    assert.ok(shown.some((one) => one.Changes === 'quota 1 → 5'), JSON.stringify(shown));
    await person.says('Line 4, entry 2: Same token as entry 0');
    await person.says('Entry 1: taken without status, which has the wrong type.');
    assert.equal(await owned(server, id), 2);
    await person.accessible('a plan');
    await person.picture('admin-plan-of-three');
    await person.click('button', 'Sync exactly this');
    await dialog(person, 'Sync Planned exactly so?');
    assert.ok(!(await canPress(person, 'Sync exactly this')));
    await person.put('Type 1 to confirm that 1 account is deleted', '1');
    await person.press('Enter');
    await told(person, /^Planned is synced: 1 added, 1 already there, 1 removed · 1 entry not taken\. job [0-9a-f]{12}$/);
    assert.equal(await heading(person), 'Sources');
    const pool = await server.pool();
    assert.ok(!pool.has('example-planned-2') && pool.get('example-planned-1').quota === 5);
    await person.page.goBack();
    await headed(person, 'Plan of Planned');
    await person.says('No account would be another than now.');
    far.close();
  }],

  ['a question that the person walks away from is not answered later', async (person, { url }) => {
    const { server, far, id, answers } = await guarded(url, 'Left', '["example-left-1", "example-left-2"]');
    answers('["example-left-1"]');
    await enter(person);
    await person.click('button', 'Plan Left');
    await headed(person, 'Plan of Left');
    await person.click('button', 'Sync exactly this');
    await dialog(person, 'Sync Left exactly so?');
    await person.page.goBack();
    await headed(person, 'Sources');
    const open = () => person.page.evaluate(() => document.querySelectorAll('dialog').length);
    await until(async () => (await open()) === 0, 5_000, () => 'the dialog is still there');
    await person.click('link', 'Keys');
    await headed(person, 'Keys');
    assert.equal(await owned(server, id), 2);
    far.close();
  }],

  ['a sync that the guard blocks leads to its job and its plan, and is approved there', async (person, { url }) => {
    const { server, far, id, answers } = await guarded(url, 'Guarded', numbered('guarded', 0, 20));
    answers(numbered('guarded', 0, 9));
    await enter(person);
    await person.click('button', 'Sync Guarded');
    await told(person, /^Guarded is not synced\. Too much would be lost; a person must approve that\. job [0-9a-f]{12} · See the plan to approve it$/);
    assert.match((await row(person, 'Guarded'))['Latest sync'], /^blocked[^]*Too much would be lost; a person must approve that\.\s+job [0-9a-f]{12} · See the plan to approve it$/);
    await person.picture('admin-sync-blocked');
    await person.page.goto(`${person.url}#/history?outcome=blocked`);
    await settled(person);
    await person.click('link', (await rows(person))[0].Job);
    await headed(person, 'Sync of Guarded blocked');
    await person.says('The source owns 20 accounts and would own 9. Within a day it owned up to 20: that is 11 fewer.');
    await person.accessible('a job that is blocked');
    await person.picture('admin-job-blocked');
    await person.click('link', 'See the plan to approve it');
    await headed(person, 'Plan of Guarded');
    await person.says('The guard blocks this sync until a person approves its plan.');
    assert.deepEqual(await counted(person), ['9 Unchanged', '11 Remove']);
    await person.accessible('a plan that is blocked');
    await person.picture('admin-plan-blocked');
    await person.click('button', 'Approve and sync …');
    await dialog(person, 'Sync Guarded exactly so?');
    await person.put('Type 11 to confirm that 11 accounts are deleted', '11');
    await person.accessible('the dialog that approves');
    await person.picture('admin-plan-approve');
    await person.click('button', 'Sync exactly this');
    await told(person, /^Guarded is synced: 0 added, 9 already there, 11 removed\. job/);
    assert.equal(await owned(server, id), 9);
    forgive(person, 502);
    far.close();
  }],

  ['a plan that is another one by then changes nothing, says so, and is planned again', async (person, { url }) => {
    const { server, far, id, answers } = await guarded(url, 'Moved', numbered('moved', 0, 2));
    answers(numbered('moved', 0, 3));
    await enter(person, `#/sources/${id}`);
    await headed(person, 'Plan of Moved');
    answers(numbered('moved', 0, 4));
    await person.click('button', 'Sync exactly this');
    await told(person, /^Moved is not synced\. The plan is another one by now\. Nothing was changed\. job [0-9a-f]{12} · Plan again$/);
    assert.equal(await owned(server, id), 2);
    await person.picture('admin-plan-moved');
    await person.click('link', 'Plan again');
    await headed(person, 'Plan of Moved');
    assert.deepEqual(await counted(person), ['2 Add', '2 Unchanged']);
    await person.click('button', 'Sync exactly this');
    await told(person, /^Moved is synced: 2 added/);
    assert.equal(await owned(server, id), 4);
    forgive(person, 409);
    far.close();
  }],

  ['a source that cannot be planned says so, and its failed sync says why', async (person, { url }) => {
    const server = program(url);
    const far = await upstream({ '/page.html': { body: '<!doctype html><p>no' } });
    const { source } = await server.post(SOURCES, { name: 'Page', url: `${far.url}page.html` });
    await enter(person, `#/sources/${source.id}`);
    await person.says('The source could not be fetched, or its answer not imported. Nothing was changed.');
    await person.page.goto(`${person.url}#/sources`);
    await headed(person, 'Sources');
    await person.click('button', 'Sync Page');
    await told(person, /^Page is not synced\. (A web page was answered, not JSON|The payload is not valid JSON)\. job/);
    await person.click('button', 'Disable Page');
    await told(person, 'Page is disabled.');
    assert.ok(!(await canPress(person, 'Plan Page')));
    forgive(person, 502);
    far.close();
  }],

  ['a source that the schedule gave up is told in the list until somebody syncs it', async (_, { scheduled }, browser) => {
    const [known] = (await program(scheduled).get(SOURCES)).sources;
    const stands = async () => (await program(scheduled).get('api/remote-account/schedule')).schedule[0];
    await until(async () => (await stands()).quarantined, 30_000, () => 'the schedule does not give up');
    const person = await Person.at(browser, new URL('admin', scheduled).href);
    await enter(person);
    await person.says('Quarantined: not asked by the schedule until a person syncs or edits it.');
    await person.accessible('a list with a source in quarantine');
    await person.picture('admin-quarantined');
    await person.click('button', `Sync ${known.name}`);
    await told(person, /^Given up is not synced\./);
    await person.says('The schedule syncs it next:');
    forgive(person, 502);
    assert.deepEqual(person.complaints, []);
    await person.close();
  }],

  ['the policy of a source is set and read back', async (person, { url }) => {
    const server = program(url);
    const { source } = await server.post(SOURCES, { name: 'Ruled', url: 'http://127.0.0.1:9/' });
    const policy = async () => (await server.get(`${SOURCES}/${source.id}/policy`)).policy;
    await enter(person);
    await person.click('button', 'Policy Ruled');
    await dialog(person, 'Policy of Ruled');
    await person.says('The schedule does not sync it: that takes an interval, and a server that runs with --auto-sync.');
    await (await person.box('Are disabled. They stay out of use, and are as before when the source answers them again.')).click();
    await person.put('Share in percent', '101');
    await person.click('button', 'Save');
    await person.says('Share in percent must be a whole number from 0 to 100.');
    await person.put('Share in percent', '50');
    await person.accessible('the dialog of a policy');
    await person.picture('admin-policy');
    await person.click('button', 'Save');
    await told(person, 'The policy of Ruled is saved.');
    assert.deepEqual(await policy(), { source_id: source.id, removal: 'disable', guard_percent: 50, guard_floor: null });
    await person.click('button', 'Policy Ruled');
    const read = async (label) => (await person.box(label)).evaluate((box) => box.value);
    await until(async () => (await read('Share in percent')) === '50', 5_000, () => 'it is not read back');
    assert.equal(await read('Number of accounts'), '');
    await person.put('Share in percent', '');
    await person.put('Number of accounts', '0');
    await person.click('button', 'Save');
    await told(person, 'The policy of Ruled is saved.');
    assert.deepEqual(await policy(), { source_id: source.id, removal: 'disable', guard_percent: null, guard_floor: 0 });
    await person.click('button', 'Policy Ruled');
    await dialog(person, 'Policy of Ruled');
    await person.click('button', 'Save');
    await told(person, 'Nothing was changed.');
  }],
];
