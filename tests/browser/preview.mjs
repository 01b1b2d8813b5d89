// The page that previews imports.

import { outcomesOf } from './behaviours.mjs';
import { OFFLINE } from './preview/offline.mjs';
import { LARGE } from './preview/large.mjs';
import { LIVE } from './preview/live.mjs';
import { LOOKS } from './preview/looks.mjs';

export const task = (browser, told) => outcomesOf(browser, told, told.url, [...OFFLINE, ...LIVE, ...LARGE, ...LOOKS]);
