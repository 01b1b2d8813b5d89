// The key of whoever administers: in the memory of this page and nowhere else.

import { openDialog } from '../shared/dialog.js';
import { make } from '../shared/element.js';
import { ServerError, ask, isLeft, read } from '../shared/server.js';
import { t } from '../shared/text.js';

/** What the server says in its own words, and what the page says for that. */
const SAID = {
  'source not found': 'gone_source',
  'source is disabled': 'source_is_disabled',
  'account not found': 'gone_account',
  'owner not found': 'gone_owner',
  'key not found': 'gone_key',
  'remote account sync failed': 'sync_refused',
  'job not found': 'gone_job',
  'the job changed nothing': 'undo_nothing',
  'the job still runs; undo it when it has ended': 'undo_running',
  'what it takes to undo this job is kept no longer: see --undo-keep and --undo-for': 'undo_expired',
  'storage is unavailable; try again later': 'unavailable',
};

/** What a person typed that cannot be sent; its message says why. */
export class Mistake extends Error {}

let key = '';
/** Ends what is still asked when the person leaves. */
let leaving = new AbortController();
/** The dialog that asks for another key, while it is open. */
let asking = null;

/** Whether there is a key. */
export const isSignedIn = () => key !== '';

/** Takes a key when the server knows it as an administrator's. */
export async function signIn(typed) {
  await ask('api/auth/users', { key: typed });
  key = typed;
}

/** Forgets the key. */
export function signOut() {
  key = '';
  leaving.abort();
  leaving = new AbortController();
}

/** Asks the server with the key. When it knows the key no longer, another one is asked for, and the question again. */
export async function call(path, options = {}) {
  for (;;) {
    const used = key;
    try {
      return await ask(path, { key: used, ...options, signal: options.signal ?? leaving.signal });
    } catch (error) {
      if (![401, 403].includes(error.status) || used === '') throw error;
      // Another question may have brought a key meanwhile.
      if (used === key && !(await anotherKey())) throw error;
    }
  }
}

/** The JSON that the server answers. */
export const get = async (path, signal) => read(await call(path, { signal }));

/** The JSON that it answers to a body, which is JSON text. */
export const send = async (path, body, method = 'POST') => read(await call(path, { method, body }));

/** Asks for a key above whatever is open, so that nothing typed there is lost; true when there is one. */
function anotherKey() {
  asking ??= keyDialog().finally(() => { asking = null; });
  return asking;
}

function keyDialog() {
  const input = make('input', { id: 'another-key', type: 'password', autocomplete: 'off', spellcheck: false });
  return openDialog({
    title: t('key_lost_title'),
    content: [
      make('p', {}, t('key_lost_text')),
      make('div', { className: 'field' }, make('label', { htmlFor: input.id }, t('key')), input),
    ],
    yes: t('go_on'),
    ready: () => input.value.trim() !== '',
    act: async () => {
      await signIn(input.value.trim());
      return true;
    },
    explain: why,
    focus: input,
  });
}

export { isLeft };

/** Why something was not done, for people. */
export function why(error) {
  if (error instanceof Mistake) return error.message;
  if (!(error instanceof ServerError)) return t('error_broken', error.message);
  return SAID[error.message] ? t(SAID[error.message]) : t(`error_${error.code}`, error.message);
}
