// Syncs that were started here: they go on whatever view is shown, and each tells how it ended.

import { read } from '../shared/server.js';
import { t } from '../shared/text.js';
import { countsText } from './outcome.js';
import { say } from './said.js';
import { call, isLeft, why } from './session.js';
import { refresh } from './view.js';

/** By source: under way, or how many entries the latest one did not take, which only its answer's header tells. */
const syncs = new Map();

/** What is known of the sync that was started here last. */
export function syncOf({ id, import_job: job }) {
  const known = syncs.get(id);
  return known?.running || known?.job === job?.job_id ? known : undefined;
}

/** Forgets all of them. */
export const forgetSyncs = () => syncs.clear();

/** Syncs a source and says how that went. */
export async function startSync({ id, name }) {
  syncs.set(id, { running: true });
  say(() => t('sync_started', name), 'busy');
  refresh();
  try {
    const response = await call(`api/remote-account/sources/${id}/sync`, { method: 'POST' });
    const { import_job: job } = await read(response);
    const notTaken = Number(response.headers.get('Tributary-Skipped') ?? 0);
    syncs.set(id, { job: job.job_id, notTaken });
    say(() => t('sync_done', name, countsText(job, notTaken), job.job_id.slice(0, 8)));
  } catch (error) {
    if (isLeft(error)) return;
    syncs.delete(id);
    const job = error.response?.headers.get('Tributary-Job');
    say(() => t('sync_failed', name, why(error), job ? t('job', job.slice(0, 8)) : ''), 'failed');
  }
  refresh();
}
