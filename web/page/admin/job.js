// One job with everything that the history tells of it.

import { make } from '../shared/element.js';
import { count, size, t, word } from '../shared/text.js';
import { lastHistory } from './history.js';
import { causeText, jobLink, jobName, jobPath, planLink, whoText } from './jobs.js';
import { statusBadge } from './outcome.js';
import { guardSaid, leftOf, part, tally } from './planned.js';
import { address } from './route.js';
import { get } from './session.js';
import { time } from './times.js';
import { undoButton } from './undo.js';

/** Phases of a job in the order in which they follow each other. */
const PHASES = ['fetch', 'receive', 'wait', 'apply'];

export const job = {
  name: 'job',
  load: async ({ id }, signal) => (await get(jobPath(id), signal)).job,
  draw: (found) => [
    make('p', {}, make('a', { href: lastHistory(), className: 'back', 'data-key': 'back' }, `← ${t('all_jobs')}`)),
    make('div', { className: 'view-head' },
      make('div', {}, make('h2', { id: 'view-title' }, t('job_title', jobName(found)), ' ', statusBadge(found.status)), make('p', { className: 'hint mono' }, found.job_id)),
      make('div', { className: 'tools' }, ...undoButton(found))),
    ...(found.status === 'success' ? tally(found, 'was') : []),
    ...whyNot(found),
    make('div', { className: 'beside' }, facts(found), make('div', {}, ...phasesOf(found), ...skipsOf(found))),
    ...leftOf(found, accountLink),
  ],
};

const accountLink = (id) => make('a', { className: 'mono', href: address('accounts', {}, id) }, id.slice(0, 12));

/** Why nothing was changed; what is blocked leads to the plan that a person can approve. */
function whyNot(found) {
  if (found.guard) return [...guardSaid(found), make('p', { className: 'onward' }, planLink(found.source_id, t('plan_to_approve')))];
  if (!found.cause) return [];
  return [make('div', { className: 'callout' },
    make('p', {}, make('strong', {}, causeText(found))),
    make('p', { className: 'hint' }, t('server_said', found.error ?? '')))];
}

function facts(found) {
  const { created_at: began, updated_at: ended } = found;
  const lines = [
    ['by', whoText(found)],
    ['began', time(began)],
    ['ended', found.status === 'running' ? null : time(ended)],
    ['source', found.source_id ? sourceLinks(found) : null],
    // What is changed by hand has no strategy of its own.
    ['strategy', ['sync', 'inject'].includes(found.kind) ? t(found.strategy) : null],
    ['undoes', found.undoes && jobLink(found.undoes)],
    ['undone_by', found.undone_by && jobLink(found.undone_by)],
    ['total', found.total > 0 ? count(found.total) : null],
    ['bytes', found.bytes > 0 ? size(found.bytes) : null],
    ['not_modified', found.not_modified ? t('not_modified') : null],
    ['quarantined', found.quarantined ? t('quarantined') : null],
    ['plan_hash', found.plan_hash && make('span', { className: 'mono' }, found.plan_hash)],
  ];
  return table('facts', lines.filter(([, told]) => told).map(([name, told]) => [t(`fact_${name}`), told]));
}

function sourceLinks({ kind, source_id: id, source_name: name }) {
  const owned = make('a', { href: address('accounts', { owner: `source:${id}` }) }, t('show_its_accounts'));
  if (kind !== 'sync') return make('span', {}, name || id, ' · ', owned);
  return make('span', {}, make('a', { href: address('sources', { source_id: id }) }, name || id), ' · ', owned);
}

function skipsOf({ skips = {} }) {
  const lines = Object.entries(skips).map(([reason, number]) => [reason === 'duplicate' ? t('skip_duplicates') : word('skip', reason), count(number)]);
  return lines.length > 0 ? [part('skips', table('skips', lines))] : [];
}

function phasesOf({ phases = {} }) {
  const known = PHASES.filter((name) => `${name}_us` in phases).map((name) => [name, phases[`${name}_us`]]);
  const longest = Math.max(1, ...known.map(([, micros]) => micros));
  const lines = known.map(([name, micros]) => [t(`phase_${name}`), make('span', { className: 'phase' }, milliseconds(micros), bar(micros / longest))]);
  return lines.length > 0 ? [part('phases', table('phases', lines))] : [];
}

/** A share of the longest, for the eyes. */
function bar(share) {
  const node = make('span', { className: 'bar', 'aria-hidden': 'true' });
  node.style.width = `${Math.max(1, share * 100)}px`;
  return node;
}

/** Microseconds as milliseconds, to a tenth. */
const milliseconds = (micros) => `${count(Math.ceil(micros / 100) / 10)} ms`;

/** A small table of what and how much, named like its part. */
function table(name, lines) {
  const rows = lines.map(([what, told]) => make('tr', {}, make('th', { scope: 'row' }, what), make('td', {}, told)));
  return make('table', { className: 'facts', 'aria-label': t(`part_${name}`) }, make('tbody', {}, ...rows));
}
