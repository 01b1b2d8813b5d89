// History: what imports did, and what people changed by hand, the newest first.

import { make } from '../shared/element.js';
import { count, t, word } from '../shared/text.js';
import { headOf, listOf } from './list.js';
import { statusBadge } from './outcome.js';
import { ownerName } from './owners.js';
import { PAGE, filterBar, noRows, pager } from './pages.js';
import { asked } from './route.js';
import { get } from './session.js';
import { time } from './times.js';

const KINDS = ['sync', 'inject', 'add', 'edit', 'delete', 'release'];
const OUTCOMES = ['success', 'failed', 'running'];

const number = (name) => ({ name, kind: 'number', cell: (job) => count(job[name]) });

const COLUMNS = [
  { name: 'when', isHead: true, cell: ({ created_at: at }) => time(at) },
  { name: 'kind', cell: ({ kind }) => word('job', kind) },
  { name: 'outcome', cell: ({ status }) => statusBadge(status) },
  { name: 'source', cell: ({ source_id: id, source_name: name }) => name || id || make('span', { className: 'none' }, '–') },
  // What is changed by hand has no strategy of its own.
  { name: 'strategy', cell: ({ kind, strategy }) => (['sync', 'inject'].includes(kind) ? t(strategy) : '–') },
  ...['total', 'added', 'skipped', 'removed'].map(number),
  { name: 'job', kind: 'mono', cell: ({ job_id: id }) => make('span', { title: id }, id.slice(0, 8)) },
];

export const history = {
  name: 'history',
  load: async ({ query }, signal) => {
    const { page, ...rest } = query;
    const jobs = get(`api/remote-account/jobs?${asked({ ...rest, limit: PAGE })}`, signal);
    const [{ items, next }, { owners }] = await Promise.all([jobs, get('api/accounts/owners', signal)]);
    return { items, next, owners };
  },
  draw: ({ items, next, owners }, { query }) => [
    headOf('history', t('history_hint')),
    filterBar('history', query, filters(owners)),
    items.length === 0
      ? noRows(query, 'no_jobs')
      : listOf({ label: t('view_history'), columns: COLUMNS, rows: items }),
    pager('history', query, { items, next }),
  ],
};

function filters(owners) {
  const sources = owners.filter(({ source_id: id }) => id !== null);
  const all = ['', t('any')];
  return [
    { name: 'kind', options: [all, ...KINDS.map((kind) => [kind, t(`job_${kind}`)])] },
    { name: 'outcome', options: [all, ...OUTCOMES.map((outcome) => [outcome, t(`status_${outcome}`)])] },
    { name: 'source_id', options: [all, ...sources.map((owner) => [owner.source_id, ownerName(owner)])] },
  ];
}
