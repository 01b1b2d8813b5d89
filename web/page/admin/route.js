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

/** The address of a view. */
export function address(view, query = {}, id = '') {
  const search = asked(query);
  return `#/${view}${id && `/${encodeURIComponent(id)}`}${search && `?${search}`}`;
}

/** What a query asks, as text for an address; empty values are left out. */
export function asked(query) {
  return new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '' && value != null)).toString();
}

/** Goes to an address of this page; `arrived` is called there. */
export function go(hash, arrived = null) {
  if (arrived) addEventListener('hashchange', arrived, { once: true });
  location.hash = hash;
}
