// Questions to the server beside which these files lie: with a key, and with a reason for each that fails.

/** What a status means that the pages have words of their own for. */
const CODES = { 401: 'unauthorized', 403: 'forbidden', 405: 'no_server', 501: 'no_server' };

/** Why the server did not do what was asked: a `code` that the pages have words for, and the server's own message. */
export class ServerError extends Error {
  constructor(code, message = '', response = null) {
    super(message);
    this.code = code;
    this.response = response;
  }

  /** The status it answered; 0 without an answer. */
  get status() {
    return this.response?.status ?? 0;
  }
}

/** What the pages have words for, of an error of whatever kind: the browser's own have numbers. */
export const codeOf = ({ code }) => (typeof code === 'string' ? code : 'broken');

/** Whether this only says that the person left, or asked for something else. */
export const isLeft = (error) => error.name === 'AbortError';

/** Asks the server; gives its answer when that says that all went well. `path` has no slash in front. */
export async function ask(path, { key, method = 'GET', body, signal, headers: more = {} }) {
  // No header carries such a key, and so no server has it.
  if (/[^\x20-\x7e]/.test(key)) throw new ServerError('unauthorized');
  const headers = { ...more, Authorization: `Bearer ${key}` };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const response = await fetch(new URL(`../${path}`, import.meta.url), { method, headers, body, signal }).catch((error) => {
    throw isLeft(error) ? error : new ServerError('unreachable');
  });
  if (response.ok) return response;
  throw await refused(response);
}

/** The answer's JSON; whoever answers something else is no Tributary. */
export async function read(response) {
  try {
    return await response.json();
  } catch (error) {
    if (isLeft(error)) throw error;
    // What came is no JSON, or broke off.
    throw new ServerError(error instanceof SyntaxError ? 'no_server' : 'unreachable', '', response);
  }
}

async function refused(response) {
  const answer = await response.json().catch((error) => {
    if (isLeft(error)) throw error;
    return null;
  });
  const message = answer?.detail?.error;
  // Any file server has a 404; Tributary's says what is not there.
  const code = response.status === 404 && !message ? 'no_server' : CODES[response.status];
  return new ServerError(code ?? 'refused', message ?? `HTTP ${response.status}`, response);
}
