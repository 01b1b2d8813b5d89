// From a preview to the import itself: asked once more, typed when something would be removed, then sent.

import { byId } from './element.js';
import { injectHead } from './curl.js';
import { count, t } from './text.js';

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** Asks whether to inject. Resolves to true when the person confirms; what would be removed is typed. */
export function confirmed(counts, sentence) {
  const dialog = byId('confirm');
  const goes = counts.removed + counts.disabled;
  const input = byId('confirm-number');
  const yes = byId('confirm-yes');
  byId('confirm-title').textContent = t('confirm_title', count(counts.total));
  byId('confirm-text').textContent = sentence;
  byId('confirm-label').textContent = t('confirm_label', count(goes));
  byId('confirm-field').hidden = goes === 0;
  yes.textContent = t('confirm_yes');
  yes.classList.toggle('danger', goes > 0);
  input.value = '';
  const judge = () => { yes.disabled = goes > 0 && digits(input.value) !== String(goes); };
  judge();
  dialog.showModal();
  (goes > 0 ? input : yes).focus();
  return new Promise((resolve) => {
    const ended = new AbortController();
    const end = (answer) => {
      ended.abort();
      dialog.close();
      resolve(answer);
    };
    const on = (node, type, action) => node.addEventListener(type, action, { signal: ended.signal });
    on(input, 'input', judge);
    on(input, 'keydown', (event) => event.key === 'Enter' && !yes.disabled && end(true));
    on(yes, 'click', () => end(true));
    on(byId('confirm-no'), 'click', () => end(false));
    on(dialog, 'cancel', () => end(false));
  });
}

/** A number as typed, without what people put between thousands. */
function digits(text) {
  return text.replace(/[\s,.\u00a0\u202f]/g, '');
}

/** Sends the payload with its options; resolves to the server's counts. */
export async function inject({ source, options, key }) {
  const body = new Blob([injectHead(options), await withoutMark(new Blob([source])), '}']);
  const response = await fetch(new URL('api/remote-account/inject', document.baseURI), {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body,
  }).catch(() => {
    throw Object.assign(new Error(), { code: 'unreachable' });
  });
  const answer = await response.json().catch(() => null);
  if (!response.ok) {
    throw Object.assign(new Error(answer?.detail?.error ?? `HTTP ${response.status}`), { code: 'refused' });
  }
  return answer;
}

/** A byte order mark may begin a text, but not a value inside of one. */
async function withoutMark(blob) {
  const head = new Uint8Array(await blob.slice(0, 3).arrayBuffer());
  return BYTE_ORDER_MARK.every((byte, at) => head[at] === byte) ? blob.slice(3) : blob;
}

/** Whether the server did what the preview said. */
export function asPreviewed(answer, counts) {
  return ['total', 'added', 'skipped', 'removed'].every((name) => answer[name] === counts[name]);
}
