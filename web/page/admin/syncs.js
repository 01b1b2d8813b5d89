// Syncs that were started here: they go on whatever view is shown, and each tells how it ended.

import { read } from '../shared/server.js';
import { t } from '../shared/text.js';
import { causeText, failuresOf, jobLink, planLink } from './jobs.js';
import { countsText } from './outcome.js';
import { say } from './said.js';
import { call, isLeft, why } from './session.js';
import { refresh } from './view.js';

/** Causes after which a person looks at the plan. */
const LOOKED_AT = ['blocked', 'plan_differs'];

/** By source: under way, or how many entries the latest one did not take, which only its answer's header tells. */
const syncs = new Map();

/** What is known of the sync that was started here last. */
export function syncOf({ id, import_job: job }) {
  const known = syncs.get(id);
  return known?.running || known?.job === job?.job_id ? known : undefined;
}

/** Forgets all of them. */
export const forgetSyncs = () => syncs.clear();

/** Syncs a source and says how that went; of an `approved` plan, by its hash, exactly that. */
export async function startSync({ id, name }, approved = null) {
  syncs.set(id, { running: true });
  say(() => t('sync_started', name), 'busy');
  refresh();
  const headers = approved ? { 'Tributary-Expect-Plan': approved } : {};
  try {
    const response = await call(`api/remote-account/sources/${encodeURIComponent(id)}/sync`, { method: 'POST', headers });
    const { import_job: job } = await read(response);
    const notTaken = Number(response.headers.get('Tributary-Skipped') ?? 0);
    syncs.set(id, { job: job.job_id, notTaken });
    say(() => [t('sync_done', name, countsText(job, notTaken)), ' ', jobLink(job.job_id)]);
  } catch (error) {
    if (isLeft(error)) return;
    syncs.delete(id);
    const failure = await failureOf(error);
    say(() => notSynced({ id, name }, error, failure), 'failed');
  }
  refresh();
}

/** What the history tells of the job that an answer names; null where there is none. */
async function failureOf(error) {
  const id = error.response?.headers.get('Tributary-Job');
  return id ? (await failuresOf([{ job_id: id }])).get(id) ?? null : null;
}

/** Why a source is not synced, with the way to the job, and to a plan that a person must look at first. */
function notSynced({ id, name }, error, failure) {
  if (!failure) return [t('sync_failed', name, why(error))];
  const told = [t('sync_failed', name, causeText(failure)), ' ', jobLink(failure.job_id)];
  if (!LOOKED_AT.includes(failure.cause)) return told;
  return [...told, ' · ', planLink(id, t(failure.cause === 'blocked' ? 'plan_to_approve' : 'plan_again'))];
}
