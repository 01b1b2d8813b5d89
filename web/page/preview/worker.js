// Everything that takes long: reads the payload, plans, compares with the live pool, and hands out rows of the answer.

import init from '../tributary_web.js';
import { Answer } from './answer.js';
import { codeOf, isLeft } from '../shared/server.js';
import { livePool, revisionOf } from './pool.js';
import { sourceOf } from './source.js';

const ready = init({ module_or_path: new URL('../tributary_web_bg.wasm', import.meta.url) });
const encoder = new TextEncoder();
let payload = null;
/** The last plan: its id and answer, what it was made of, and the context of an account's row by its fingerprint. */
let last = null;
let current = { id: 0, stop: new AbortController() };

const ACTIONS = { plan: preview, rows, locate, revision };

self.onmessage = async ({ data }) => {
  try {
    await ACTIONS[data.kind](data);
  } catch (error) {
    if (!isLeft(error)) {
      self.postMessage({ kind: 'failed', id: data.id, code: codeOf(error), message: error.message });
    }
  }
};

/** Plans anew. `source` is a text or a file, or null for the one before; `key` is there to compare with the live pool. */
async function preview({ id, source, options, key }) {
  current.stop.abort();
  current = { id, stop: new AbortController() };
  const { signal } = current.stop;
  if (source !== null) {
    phase(id, 'reading');
    payload = null;
    payload = await sourceOf(source);
  }
  await ready;
  signal.throwIfAborted();
  const compared = key === null ? null : await compare({ id, options, key, signal });
  signal.throwIfAborted();
  phase(id, 'planning');
  const began = performance.now();
  const progress = (done) => phase(id, 'planning', done);
  const asked = { ...options, outline: true, plan_hash: compared !== null };
  const bytes = await payload.plan(context(asked, compared), { signal, progress });
  const known = new Map(compared?.accounts.map((account) => [account.fingerprint, account]));
  const answer = new Answer(bytes, (fingerprint) => known.get(fingerprint)?.provider ?? null);
  const contextOf = (fingerprint) => {
    const accounts = [known.get(fingerprint)].filter(Boolean);
    return context(options, compared && { ...compared, accounts });
  };
  last = { id, answer, payload, contextOf };
  self.postMessage({ kind: 'planned', id, ms: performance.now() - began, ...summary(answer), ...pool(compared) });
}

function summary(answer) {
  if (answer.refusal) return { refusal: answer.refusal, bytes: payload.size };
  const { counts, shape, notes, hash } = answer;
  const ignored = answer.ignored.size;
  return { refusal: null, counts, shape, notes, hash, ignored, tally: answer.tally(), bytes: payload.size };
}

function pool(compared) {
  return compared ? { live: true, revision: compared.revision, owned: compared.owned } : { live: false, owned: 0 };
}

/** The part of the live pool that the payload touches. Its fingerprints come from a plan against nothing. */
async function compare({ id, options, key, signal }) {
  phase(id, 'comparing');
  const fingerprintsOf = async (salt) => {
    const outline = await payload.plan(context({ ...options, outline: true }, { salt, accounts: [] }), { signal });
    const alone = new Answer(outline);
    return alone.refusal ? null : alone.fingerprints();
  };
  const progress = (done, total) => phase(id, 'comparing', done, total);
  const sourceId = options.strategy === 'replace' ? options.source_id : undefined;
  return livePool({ key, sourceId, signal, fingerprintsOf, progress });
}

/** The core's context: options, what the server says of the source, and of the pool its salt and accounts as the server wrote them. */
function context(options, compared) {
  if (!compared) return encoder.encode(JSON.stringify(options));
  const { salt, removal } = compared;
  const head = encoder.encode(`${JSON.stringify({ ...options, salt, removal }).slice(0, -1)},"pool":[`);
  const size = compared.accounts.reduce((sum, account) => sum + account.bytes.length + 1, head.length + 2);
  const whole = new Uint8Array(size);
  whole.set(head);
  let at = head.length;
  for (const { bytes } of compared.accounts) {
    if (at > head.length) whole[at++] = 44;
    whole.set(bytes, at);
    at += bytes.length;
  }
  whole.set([93, 125], at);
  return whole.subarray(0, at + 2);
}

/** Rows of the plan that the page shows: it may not be the last, where a newer wish came meanwhile. */
async function rows({ id, plan, verdict, from, count }) {
  const asked = last;
  if (asked?.id !== plan || asked.answer.refusal) return;
  const { answer, payload, contextOf } = asked;
  const rows = await Promise.all(answer.rows(verdict, from, count).map((row) => payload.whole(row, contextOf)));
  // The rows of one plan are never told as those of the next.
  if (asked === last) self.postMessage({ kind: 'rows', id, verdict, from, rows });
}

function locate({ id, plan, index }) {
  self.postMessage({ kind: 'located', id, row: last?.id === plan ? last.answer.rowOf(index) : -1 });
}

async function revision({ id, key }) {
  self.postMessage({ kind: 'revision', id, revision: await revisionOf(key) });
}

function phase(id, name, done = null, total = null) {
  self.postMessage({ kind: 'phase', id, name, done, total });
}
