// How a sync or a job went, in words and numbers.

import { make } from '../shared/element.js';
import { count, t, word } from '../shared/text.js';
import { badge } from './list.js';
import { time } from './times.js';

const LOOKS = { success: 'good', failed: 'bad', running: '' };

/** The status of a job as a word. */
export const statusBadge = (status) => badge(word('status', status), LOOKS[status] ?? '');

/** The counts of a job in words. */
export function countsText({ added, skipped, removed }, notTaken = 0) {
  const told = t('counts', count(added), count(skipped), count(removed));
  return notTaken > 0 ? `${told} · ${t('not_taken', count(notTaken))}` : told;
}

/** A job in the list of sources: how it went, its counts, and when. */
export function outcome(job, notTaken = 0) {
  const counts = job.status === 'success' ? countsText(job, notTaken) : t('sync_refused');
  return make('div', { className: 'outcome' },
    make('span', {}, statusBadge(job.status), ' ', time(job.updated_at)),
    make('span', { className: 'hint' }, counts, ' · ', t('job', job.job_id.slice(0, 8))));
}
