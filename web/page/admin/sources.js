// Sources: where accounts are fetched from, and how the latest sync of each went.

import { make } from '../shared/element.js';
import { t } from '../shared/text.js';
import { about, deed, headOf, listOf, nothing, stateBadge } from './list.js';
import { failuresOf } from './jobs.js';
import { outcome } from './outcome.js';
import { editPolicy, nextSync } from './policy.js';
import { address, forDialog, go } from './route.js';
import { attempt, say } from './said.js';
import { call, get, isLeft, send } from './session.js';
import { addSource, deleteSource, editSource } from './source-dialogs.js';
import { startSync, syncOf } from './syncs.js';
import { refresh } from './view.js';

const SOURCES = 'api/remote-account/sources';
const SCHEDULE = 'api/remote-account/schedule';
/** Pause before a sync that somebody started is looked at again, in ms. */
const PAUSE = 2000;

const COLUMNS = [
  { name: 'source', isHead: true, kind: 'name', cell: named },
  { name: 'state', cell: ({ enabled }) => stateBadge(enabled) },
  { name: 'provider', cell: ({ provider }) => provider || make('span', { className: 'none' }, t('choice_none')) },
  { name: 'strategy', cell: ({ sync_strategy: strategy }) => t(strategy) },
  { name: 'latest_sync', kind: 'wide', cell: latestSync },
  { name: 'actions', kind: 'actions', cell: actions },
];

export const sources = {
  name: 'sources',
  load: async (_, signal) => {
    const [{ sources: all }, { schedule }] = await Promise.all([get(SOURCES, signal), get(SCHEDULE, signal)]);
    const stands = new Map(schedule.map((one) => [one.source_id, one]));
    const latest = all.map(({ import_job: job }) => job);
    const failures = await failuresOf(latest.filter((job) => job?.status === 'failed'), signal);
    return { sources: all.map((source) => ({ ...source, failure: failures.get(source.import_job?.job_id), schedule: stands.get(source.id) })) };
  },
  draw: ({ sources: all }, { query }) => [
    headOf('sources', t('sources_hint'), deed('add_source', add, 'primary')),
    all.length === 0 ? nothing(t('no_sources')) : listOf({ label: t('view_sources'), columns: COLUMNS, rows: all, look: 'sources', isChosen: ({ id }) => id === query.source_id }),
  ],
  again: ({ sources: all }) => (all.some(isRunning) ? PAUSE : null),
};

const isRunning = (source) => syncOf(source)?.running || source.import_job?.status === 'running';

function named(source) {
  return [make('strong', {}, source.name), make('span', { className: 'address' }, `${source.method} ${source.url}`)];
}

function latestSync(source) {
  if (isRunning(source)) return make('span', { className: 'turning wait' }, t('sync_running'));
  const next = source.schedule && nextSync(source.schedule);
  const latest = source.import_job ? outcome(source.import_job, syncOf(source)?.notTaken, source.failure) : make('span', { className: 'none' }, t('never'));
  return next ? [latest, make('span', { className: 'hint next-sync' }, ...next)] : latest;
}

function actions(source) {
  const { id, name } = source;
  const sync = about(t('sync'), name, `sync-${id}`, () => startSync(source));
  const plan = about(t('plan'), name, `plan-${id}`, () => go(address('sources', {}, id)));
  sync.disabled = !source.enabled || isRunning(source);
  plan.disabled = !source.enabled;
  return [
    sync,
    plan,
    about(t('edit'), name, `edit-${id}`, () => edit(source)),
    about(t('policy'), name, `policy-${id}`, () => editPolicy(source)),
    about(t(source.enabled ? 'disable' : 'enable'), name, `enable-${id}`, () => enable(source)),
    about(t('delete'), name, `delete-${id}`, () => remove(source), 'danger'),
  ];
}

async function add() {
  const added = await addSource((body) => send(SOURCES, body));
  if (!added) return;
  say(() => t('source_added', added.source.name));
  refresh();
}

async function edit(source) {
  const edited = await editSource(source, (body) => send(`${SOURCES}/${source.id}`, body));
  if (!edited) return;
  say(() => t('source_edited', edited.source?.name ?? source.name));
  refresh();
}

function enable({ id, name, enabled }) {
  const body = JSON.stringify({ enabled: !enabled });
  return attempt(() => send(`${SOURCES}/${id}`, body), () => t(enabled ? 'is_disabled' : 'is_enabled', name));
}

async function remove(source) {
  const owned = await forDialog(ownedBy(source.id));
  if (owned === undefined) return;
  const fate = await deleteSource(source, owned, (chosen) => call(`${SOURCES}/${source.id}?accounts=${chosen}`, { method: 'DELETE' }));
  if (!fate) return;
  say(() => [t(`source_deleted_${fate}`, source.name), ...leftLink(source, fate)]);
  refresh();
}

/** How many accounts a source owns; null when the server does not say, undefined when the person left. */
async function ownedBy(id) {
  const found = await get('api/accounts/owners').catch((error) => (isLeft(error) ? undefined : null));
  return found && (found.owners.find((one) => one.source_id === id)?.accounts ?? 0);
}

/** Where to find accounts that were kept under a source that is no more. */
function leftLink({ id }, fate) {
  return fate === 'keep' ? [' ', make('a', { href: address('accounts', { owner: `source:${id}` }) }, t('show_its_accounts'))] : [];
}
