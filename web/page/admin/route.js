// Where a person is: the view, one thing in it, and its filters, all behind the `#` of the address.

/** `#/accounts/ID?provider=gpt` as `{ view, id, query }`. */
export function route() {
  const [path, search = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [view, id = ''] = path.split('/');
  return { view, id: decoded(id), query: Object.fromEntries(new URLSearchParams(search)) };
}

/** A part of an address as text; what somebody mistyped stays as it is. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** How many dialogs were asked for. */
let dialogs = 0;

/** What a dialog is about, once it is there; undefined when the person went elsewhere meanwhile, or has another dialog. */
export async function forDialog(asked) {
  const [mine, here] = [(dialogs += 1), location.hash];
  const isWanted = () => mine === dialogs && here === location.hash && !document.querySelector('dialog[open]');
  try {
    const found = await asked;
    return isWanted() ? found : undefined;
  } catch (error) {
    if (isWanted()) throw error;
    return undefined;
  }
}

/** The address of a view. */
export function address(view, query = {}, id = '') {
  const search = asked(query);
  return `#/${view}${id && `/${encodeURIComponent(id)}`}${search && `?${search}`}`;
}

/** What a query asks, as text for an address; empty values are left out. */
export function asked(query) {
  return new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '' && value != null)).toString();
}

/** Whether the person is at an address of this page. */
export const isAt = (hash) => new URL(hash, location.href).hash === location.hash;

/** Goes to an address of this page; `arrived` is called there. */
export function go(hash, arrived = null) {
  if (isAt(hash)) return arrived?.();
  if (arrived) addEventListener('hashchange', arrived, { once: true });
  location.hash = hash;
}
