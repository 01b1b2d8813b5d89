// Times as people read them; the exact one stays with them.

import { make } from '../shared/element.js';
import { moment, t } from '../shared/text.js';

/** A time of the server; a dash where there is none. */
export function time(text) {
  if (!text) return make('span', { className: 'none' }, t('never'));
  return make('time', { dateTime: text, title: text }, moment(text));
}
