// The undo of a job: what it would change is shown first, and what it did is told then.

import { openDialog, typedNumber } from '../shared/dialog.js';
import { make } from '../shared/element.js';
import { read } from '../shared/server.js';
import { count, t } from '../shared/text.js';
import { jobLink, jobName, jobPath, short } from './jobs.js';
import { about } from './list.js';
import { namesOf } from './owners.js';
import { planIn, planned, tally } from './planned.js';
import { forDialog } from './route.js';
import { say } from './said.js';
import { call, get, isLeft, why } from './session.js';
import { refresh } from './view.js';

/** Changes that are listed at most. */
const LISTED = 50;
const COUNTS = ['added', 'updated', 'released', 'disabled', 'removed'];

/** The button that undoes a job; none where it cannot be undone. */
export function undoButton(job, look = '') {
  if (!job.undoable) return [];
  return [about(t('undo'), `${jobName(job)}, ${short(job.job_id)}`, `undo-${job.job_id}`, () => undo(job), look)];
}

async function undo(job) {
  const path = `${jobPath(job.job_id)}/undo`;
  try {
    const found = await forDialog(Promise.all([planOf(path), ownerNames()]));
    if (!found) return;
    const [plan, nameOf] = found;
    const undone = await confirmed(job, plan, nameOf, async () => read(await call(path, { method: 'POST' })));
    if (!undone) return;
    say(() => told(undone.job, plan));
  } catch (error) {
    if (isLeft(error)) return;
    say(() => why(error), 'failed');
  }
  refresh();
}

async function planOf(path) {
  const response = await call(`${path}?plan=true&limit=${LISTED}`, { method: 'POST' });
  return planIn(new Uint8Array(await response.arrayBuffer()));
}

const ownerNames = async () => namesOf((await get('api/accounts/owners')).owners);

function confirmed(job, plan, nameOf, act) {
  const { removed } = plan.counts;
  const number = typedNumber(removed, t('type_to_delete', count(removed)));
  return openDialog({
    title: t('undo_title', jobName(job)),
    content: [make('p', {}, t('undo_text')), ...planned(plan, nameOf), ...(removed > 0 ? [number.node] : [])],
    yes: t('undo'),
    danger: removed > 0,
    ready: () => removed === 0 || number.matches(),
    explain: why,
    wide: true,
    act,
  });
}

/** What an undo did; whether that is another thing than its plan said. */
function told(undone, plan) {
  const parts = [make('p', {}, t('undone'), ' ', jobLink(undone.job_id)), ...tally(undone, 'was')];
  const left = (undone.left?.length ?? 0) + (undone.left_more ?? 0);
  if (left > 0) parts.push(make('p', {}, t('undo_left', count(left))));
  if (COUNTS.some((name) => undone[name] !== plan.counts[name])) parts.push(make('p', {}, t('undo_other')));
  return parts;
}
