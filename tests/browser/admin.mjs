// The page for administrators.

import { outcomesOf } from './behaviours.mjs';
import { ACCOUNTS } from './admin/accounts.mjs';
import { HISTORY } from './admin/history.mjs';
import { JOB } from './admin/jobs.mjs';
import { KEYS } from './admin/keys.mjs';
import { LOOKS } from './admin/looks.mjs';
import { OWNERS } from './admin/owners.mjs';
import { PLANS } from './admin/plans.mjs';
import { SIGNING } from './admin/signing.mjs';
import { SOURCES } from './admin/sources.mjs';

export function task(browser, told) {
  const all = [...LOOKS, ...SIGNING, ...SOURCES, ...PLANS, ...ACCOUNTS, ...OWNERS, ...KEYS, ...HISTORY, ...JOB];
  return outcomesOf(browser, told, new URL('admin', told.url).href, all);
}
