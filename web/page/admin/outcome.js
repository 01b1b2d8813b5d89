// How a sync or a job went, in words and numbers.

import { make } from '../shared/element.js';
import { count, t, word } from '../shared/text.js';
import { causeText, jobLink, planLink } from './jobs.js';
import { badge } from './list.js';
import { time } from './times.js';

const LOOKS = { success: 'good', failed: 'bad', blocked: 'bad', running: '' };

/** The status of a job as a word. */
export const statusBadge = (status) => badge(word('status', status), LOOKS[status] ?? '');

/** The counts of a job in words. */
export function countsText({ added, skipped, removed }, notTaken = 0) {
  const told = t('counts', count(added), count(skipped), count(removed));
  return notTaken > 0 ? `${told} · ${t('not_taken', count(notTaken))}` : told;
}

/** A latest sync in the list of sources: how it went, why not, its counts, and when. `failure` is what the history tells. */
export function outcome(job, notTaken = 0, failure = null) {
  const told = job.status === 'success' ? countsText(job, notTaken) : (failure && causeText(failure)) || t('sync_refused');
  const status = failure?.status ?? job.status;
  const onward = status === 'blocked' ? [' · ', planLink(job.source_id, t('plan_to_approve'))] : [];
  return make('div', { className: 'outcome' },
    make('span', {}, statusBadge(status), ' ', time(job.updated_at)),
    make('span', { className: 'hint' }, told),
    make('span', { className: 'hint' }, jobLink(job.job_id, { kept: true }), ...onward));
}
