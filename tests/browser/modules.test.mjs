// The page's modules that need no browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

const page = (name) => import(new URL(`../../web/page/${name}`, import.meta.url));
const { elements, endOf, members, textOf } = await page('shared/json.js');
const { inText, lineAt, textOfBlob } = await page('preview/places.js');
const { pieces } = await page('preview/pieces.js');
const { payloadHead } = await page('shared/body.js');
const { curlCommand } = await page('preview/curl.js');
const { sentence } = await page('preview/text.js');
const bytes = (text) => new TextEncoder().encode(text);

test('values end where they end', () => {
  for (const value of ['{"a":"}"}', '["]",[{}]]', '"\\\\"', '"a\\"b"', '-1.5e9', 'null', '"🌊"']) {
    assert.equal(endOf(bytes(`${value},1]`), 0), bytes(value).length, value);
  }
  const text = bytes('{"a":[1,"x"],"b":{},"c":""}');
  assert.deepEqual(Object.entries(members(text, 0)).map(([name, place]) => [name, textOf(text, ...place)]), [['a', '[1,"x"]'], ['b', '{}'], ['c', '""']]);
  const seen = [];
  elements(text, 5, (start, end) => seen.push(textOf(text, start, end)));
  assert.deepEqual(seen, ['1', '"x"']);
});

test('places in bytes are places in the text', () => {
  for (const text of ['plain', '\ufeffbom', 'ß河🌊👩‍🚀x', 'a\nb']) {
    const units = [...text];
    let before = '';
    for (const char of units) {
      const span = [bytes(before).length, bytes(char).length];
      assert.deepEqual(inText(text, span), [before.length, before.length + char.length], text);
      before += char;
    }
  }
  const { line, column } = lineAt('{\n  🌊]', 6);
  assert.deepEqual([line, column], [2, 4]);
});

test('a part of a file is cut between characters', async () => {
  const blob = new Blob(['a🌊河b']);
  for (let from = 0; from <= blob.size; from++) {
    for (let to = from; to <= blob.size; to++) {
      const text = await textOfBlob(blob, from, to);
      assert.ok(!text.includes('\ufffd') || to - from < 4, `${from} to ${to}: ${text}`);
    }
  }
});

test('a stream comes whole, in one room where it can', async () => {
  const parts = ['a🌊', 'x'.repeat(3 << 20), 'b'];
  const plain = new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(bytes(part));
      controller.close();
    },
  });
  for (const [stream, oneRoom] of [[new Blob(parts).stream(), true], [plain, false]]) {
    const [texts, rooms] = [new TextDecoder(), []];
    let text = '';
    for await (const piece of pieces(stream)) {
      text += texts.decode(piece, { stream: true });
      rooms.push(piece.buffer);
    }
    assert.equal(text, parts.join(''));
    assert.equal(rooms.slice(0, -1).every((room) => room.byteLength === 0), oneRoom, 'the room went on to the next piece');
  }
});

test('a stream that is left is cancelled', async () => {
  let cancelled = false;
  const endless = new ReadableStream({
    type: 'bytes',
    pull: (controller) => controller.enqueue(bytes('a')),
    cancel: () => { cancelled = true; },
  });
  for await (const piece of pieces(endless)) if (piece.length) break;
  assert.ok(cancelled);
});

test('a sentence says what a plan would do', () => {
  const counts = { added: 0, updated: 0, unchanged: 0, released: 0, disabled: 0, removed: 0 };
  const said = (strategy, owned, some) => sentence({ strategy, owned, counts: { ...counts, ...some } });
  assert.equal(said('replace', 15, { added: 2, unchanged: 14, released: 1, removed: 1 }), 'Replace would add 2, keep 14, release 1 and remove 1 of 15 (6.7 %).');
  assert.equal(said('merge', 0, {}), 'Merge would change nothing.');
  assert.equal(said('merge', 0, { added: 1234 }), 'Merge would add 1,234.');
  assert.equal(said('replace', 3, { unchanged: 3 }), 'Replace would keep 3 and remove none.');
});

test('a command holds what a shell might take amiss', () => {
  const command = curlCommand({ strategy: 'merge', source_id: "it's" }, 'http://localhost:8083/?x#y');
  assert.ok(command.includes("'http://localhost:8083/api/remote-account/inject'"));
  assert.ok(command.includes("it'\\''s"));
  assert.equal(payloadHead({ strategy: 'merge' }), '{"strategy":"merge","payload":');
  assert.equal(payloadHead({}), '{"payload":');
});

test('a pool that moves is asked again, and its accounts stay as they were written', async () => {
  const { livePool } = await page('preview/pool.js');
  const account = (name) => `{"fingerprint":"${name}","token":"…","provider":"gpt","owners":{},"fields":{"n":1.10},"secrets":[]}`;
  const asked = [];
  let revision = 1;
  globalThis.fetch = async (url, { body, headers }) => {
    asked.push(JSON.parse(body));
    assert.equal(headers.Authorization, 'Bearer k');
    // The pool moves once, after the first answer.
    if (asked.length === 2) revision = 2;
    const question = JSON.parse(body);
    const accounts = (question.fingerprints ?? []).filter((name) => name !== 'new').map(account);
    const owned = question.source_id ? [account(question.after ? 'own-2' : 'own-1')] : [];
    const next = question.source_id && !question.after ? 7 : null;
    return new Response(`{"pool_revision":${revision},"salt":"5a","removal":"disable","accounts":[${accounts}],"owned":[${owned}],"next":${next}}`);
  };
  const salts = [];
  const found = await livePool({
    key: 'k',
    sourceId: 's',
    progress: () => {},
    fingerprintsOf: (salt) => { salts.push(salt); return ['old', 'new', 'own-1']; },
  });
  assert.equal(found.revision, 2);
  assert.equal(found.owned, 2);
  assert.equal(found.removal, 'disable');
  assert.deepEqual(salts, ['5a']);
  assert.deepEqual(asked.at(-1), { fingerprints: ['old', 'new'] });
  assert.deepEqual(found.accounts.map((one) => new TextDecoder().decode(one.bytes)), ['own-1', 'own-2', 'old'].map(account));
});

test('a name that nobody translated stands for itself', async () => {
  await page('admin/text.js');
  const { word } = await page('shared/text.js');
  assert.deepEqual([word('status', 'failed'), word('job', 'add'), word('status', 'never-heard-of')], ['failed', 'add by hand', 'never-heard-of']);
});

test('every text is there in both languages', async () => {
  for (const folder of ['shared', 'preview', 'admin']) {
    const [{ en }, { zh }] = [await page(`${folder}/text.en.js`), await page(`${folder}/text.zh.js`)];
    assert.deepEqual(Object.keys(en).sort(), Object.keys(zh).sort());
    for (const name of Object.keys(en)) assert.equal(typeof en[name], typeof zh[name], name);
  }
});
