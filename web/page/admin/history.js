// History: what imports did, and what people changed by hand, the newest first.

import { make } from '../shared/element.js';
import { count, t, word } from '../shared/text.js';
import { causeText, jobLink, short, whoText } from './jobs.js';
import { headOf, listOf } from './list.js';
import { statusBadge } from './outcome.js';
import { ownerName } from './owners.js';
import { PAGE, filterBar, noRows, pager } from './pages.js';
import { address, asked } from './route.js';
import { get } from './session.js';
import { time } from './times.js';
import { undoButton } from './undo.js';

const KINDS = ['sync', 'inject', 'add', 'edit', 'delete', 'release', 'undo'];
const OUTCOMES = ['success', 'failed', 'blocked', 'running'];

const number = (name) => ({ name, kind: 'number', cell: (job) => count(job[name]) });

const COLUMNS = [
  { name: 'when', isHead: true, cell: ({ created_at: at }) => time(at) },
  { name: 'kind', cell: ({ kind }) => word('job', kind) },
  { name: 'outcome', cell: outcome },
  { name: 'by', kind: 'who', cell: whoText },
  { name: 'source', cell: ({ source_id: id, source_name: name }) => name || id || make('span', { className: 'none' }, '–') },
  // What is changed by hand has no strategy of its own.
  { name: 'strategy', cell: ({ kind, strategy }) => (['sync', 'inject'].includes(kind) ? t(strategy) : '–') },
  ...['total', 'added', 'skipped', 'removed'].map(number),
  { name: 'job', kind: 'mono', cell: ({ job_id: id }) => jobLink(id, { text: short(id), kept: true }) },
  { name: 'actions', kind: 'actions', cell: (job) => undoButton(job) },
];

/** The address of the list as it was shown last. */
let last = address('history');

/** Where to go back to from one job. */
export const lastHistory = () => last;

/** Forgets what was found. */
export function forgetHistory() {
  last = address('history');
}

export const history = {
  name: 'history',
  load: async ({ query }, signal) => {
    const { page, ...rest } = query;
    const jobs = get(`api/remote-account/jobs?${asked({ ...rest, limit: PAGE })}`, signal);
    const [{ items, next }, { owners }] = await Promise.all([jobs, get('api/accounts/owners', signal)]);
    return { items, next, owners };
  },
  draw: ({ items, next, owners }, { query }) => {
    last = address('history', query);
    return [
      headOf('history', t('history_hint')),
      filterBar('history', query, filters(owners)),
      items.length === 0 ? noRows(query, 'no_jobs') : listOf({ label: t('view_history'), columns: COLUMNS, rows: items }),
      pager('history', query, { items, next }),
    ];
  },
};

/** How a job ended; why, where it failed; and whether it was taken back. */
function outcome(job) {
  const told = job.undone_by ? t('is_undone') : causeText(job);
  return make('div', { className: 'outcome' }, make('span', {}, statusBadge(job.status)), told ? make('span', { className: 'hint' }, told) : null);
}

function filters(owners) {
  const sources = owners.filter(({ source_id: id }) => id !== null);
  const all = ['', t('any')];
  return [
    { name: 'kind', options: [all, ...KINDS.map((kind) => [kind, t(`job_${kind}`)])] },
    { name: 'outcome', options: [all, ...OUTCOMES.map((outcome) => [outcome, t(`status_${outcome}`)])] },
    { name: 'source_id', options: [all, ...sources.map((owner) => [owner.source_id, ownerName(owner)])] },
  ];
}
