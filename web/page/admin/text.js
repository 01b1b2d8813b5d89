// The admin page's words, beside those of all pages.

import { learn } from '../shared/text.js';
import { en } from './text.en.js';
import { zh } from './text.zh.js';

learn({ en, zh });
