// What the live pool knows of a payload, asked by fingerprint: no token is ever sent.

import { elements, members, textOf } from '../shared/json.js';
import { ServerError, ask } from '../shared/server.js';

/** Fingerprints in one question. */
const MOST_ASKED = 10_000;
/** Comparisons begun anew because imports changed the pool meanwhile. */
const TRIES = 5;
/** Stands for a revision when the pool moved inside of one answer. */
const MOVED = null;

/**
 * The part of the pool that an import touches, as the core's context takes it. `fingerprintsOf(salt)` is asked once the
 * pool's salt is known; null from it means that the payload is refused and nothing needs to be compared.
 */
export async function livePool({ key, sourceId, signal, fingerprintsOf, progress }) {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const part = await gathered({ key, sourceId, signal, fingerprintsOf, progress });
    if (part) return part;
  }
  throw new ServerError('pool_moves');
}

/** The pool's revision at present. */
export async function revisionOf(key, signal) {
  return (await asked({ key, signal, question: {} })).revision;
}

/** Everything at one revision; null when the pool moved between two answers. */
async function gathered({ key, sourceId, signal, fingerprintsOf, progress }) {
  const ask = (question) => asked({ key, signal, question });
  const owned = [];
  let answer = await ask({ source_id: sourceId });
  const { revision, salt, removal } = answer;
  if (revision === MOVED) return null;
  for (;;) {
    owned.push(...answer.owned);
    if (answer.next === null) break;
    progress(owned.length, null);
    answer = await ask({ source_id: sourceId, after: answer.next });
    if (answer.revision !== revision) return null;
  }
  const fingerprints = await fingerprintsOf(salt);
  if (!fingerprints) return { salt, removal, revision, accounts: [], owned: owned.length };
  const accounts = new Map(owned.map((account) => [account.fingerprint, account]));
  const missing = fingerprints.filter((fingerprint) => !accounts.has(fingerprint));
  for (let from = 0; from < missing.length; from += MOST_ASKED) {
    progress(from, missing.length);
    answer = await ask({ fingerprints: missing.slice(from, from + MOST_ASKED) });
    if (answer.revision !== revision) return null;
    for (const account of answer.accounts) accounts.set(account.fingerprint, account);
  }
  return { salt, removal, revision, accounts: [...accounts.values()], owned: owned.length };
}

/** One question and its answer; accounts stay the bytes they are, so that no number loses a digit. */
async function asked({ key, signal, question }) {
  let response;
  try {
    response = await ask('api/remote-account/pool/lookup', { key, method: 'POST', body: JSON.stringify(question), signal });
  } catch (error) {
    if (error.status === 409) return { revision: MOVED };
    throw error;
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  const found = members(bytes, 0);
  const plain = (name) => JSON.parse(textOf(bytes, ...found[name]));
  return {
    revision: plain('pool_revision'),
    salt: plain('salt'),
    removal: plain('removal'),
    next: plain('next'),
    accounts: accountsAt(bytes, found.accounts[0]),
    owned: accountsAt(bytes, found.owned[0]),
  };
}

function accountsAt(bytes, at) {
  const found = [];
  elements(bytes, at, (start, end) => {
    const account = members(bytes, start);
    found.push({
      fingerprint: textOf(bytes, account.fingerprint[0] + 1, account.fingerprint[1] - 1),
      provider: textOf(bytes, account.provider[0] + 1, account.provider[1] - 1),
      bytes: bytes.subarray(start, end),
    });
  });
  return found;
}
