// Jobs as the history tells them: who, how it ended and why, in words.

import { make } from '../shared/element.js';
import { t, word } from '../shared/text.js';
import { address } from './route.js';
import { get } from './session.js';

export const JOBS = 'api/remote-account/jobs';

/** The address of one job in the API. */
export const jobPath = (id) => `${JOBS}/${encodeURIComponent(id)}`;

/** The id of a job, short enough for people: the time in it, to the millisecond. */
export const short = (id) => id.slice(0, 12);

/** The way to a job; the keyboard comes back to it when it is drawn anew, if `kept`. */
export function jobLink(id, { text = t('job', short(id)), kept = false } = {}) {
  const link = make('a', { className: 'job-link', href: address('history', {}, id), title: id }, text);
  if (kept) link.dataset.key = `job-${id}`;
  return link;
}

/** The way to the plan of a source. */
export const planLink = (id, text) => make('a', { href: address('sources', {}, id) }, text);

/** Whoever asked for a job. */
export function whoText({ by }) {
  if (by.startsWith('key:')) return t('by_key', by.slice(4));
  return by === '' ? t('by_nobody') : word('by', by);
}

/** Why a job failed, as a sentence; what has no sentence stands for itself. */
export const causeText = ({ cause }) => (cause ? word('cause', cause) : '');

/** What a job is called: what it did, and for whom. */
export function jobName({ kind, source_id: id, source_name: name }) {
  const what = word('job', kind);
  return name || id ? t('job_of', what, name || id) : what;
}

/** Jobs that failed, by their ids, null where the history does not know them any more: neither changes. */
const failed = new Map();

/** What the history tells of the latest syncs that failed, by job: only there it says why. */
export async function failuresOf(jobs, signal) {
  const unknown = jobs.filter(({ job_id: id }) => !failed.has(id));
  // A job that the history has dropped is told without a cause.
  const asked = unknown.map(({ job_id: id }) => get(jobPath(id), signal).then(({ job }) => failed.set(id, job), ({ status, code }) => status === 404 && code === 'refused' && failed.set(id, null)));
  await Promise.all(asked);
  return failed;
}

/** Forgets all of them. */
export const forgetFailures = () => failed.clear();
