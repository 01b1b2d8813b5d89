// From a preview to the import itself: asked once more, typed when something would be removed or disabled, then sent.

import { payloadHead } from '../shared/body.js';
import { openDialog, typedNumber } from '../shared/dialog.js';
import { make } from '../shared/element.js';
import { ask, read } from '../shared/server.js';
import { count, t } from './text.js';

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** Asks whether to inject. Gives true when the person confirms; the number that would be removed or disabled is typed. */
export function confirmed({ total, removed, disabled }, sentence) {
  const goes = removed + disabled;
  const number = typedNumber(goes, t('confirm_label', count(goes), t(disabled > 0 ? 'fate_disabled' : 'fate_removed')));
  return openDialog({
    title: t('confirm_title', count(total)),
    content: [make('p', {}, sentence), ...(goes > 0 ? [number.node] : [])],
    yes: t('confirm_yes'),
    ready: () => goes === 0 || number.matches(),
    danger: goes > 0,
    focus: goes > 0 ? number.input : null,
  });
}

/** Sends the payload with its options, for the previewed plan by its hash and no other; gives the server's counts. */
export async function inject({ source, options, key, previewed }) {
  const body = new Blob([payloadHead(options), await withoutMark(new Blob([source])), '}']);
  const headers = { 'Tributary-Expect-Plan': previewed };
  return read(await ask('api/remote-account/inject', { key, method: 'POST', headers, body }));
}

/** A byte order mark may begin a text, but not a value inside of one. */
async function withoutMark(blob) {
  const head = new Uint8Array(await blob.slice(0, 3).arrayBuffer());
  return BYTE_ORDER_MARK.every((byte, at) => head[at] === byte) ? blob.slice(3) : blob;
}
