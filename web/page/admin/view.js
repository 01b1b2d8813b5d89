// The view that is shown: asked for, drawn, asked for again after a change. The keyboard stays where it is meanwhile.

import { byId, make } from '../shared/element.js';
import { t } from '../shared/text.js';
import { deed } from './list.js';
import { why } from './session.js';

const state = { view: null, route: null, found: null, error: null, asking: null, timer: null, lost: null };

/** Shows a view, scrolled to `top`: its `load(route, signal)` gives what `draw(found, route)` makes nodes of. */
export async function show(view, route, top) {
  const same = state.view === view && state.route?.id === route.id;
  Object.assign(state, { view, route, error: null, ...(same ? {} : { found: null, lost: null }) });
  if (!same) redraw();
  await load();
  if (state.route === route) scrollTo(0, top);
}

/** Asks anew for what is shown. */
export function refresh() {
  return state.view && load();
}

/** Forgets what was shown. */
export function clear() {
  state.asking?.abort();
  clearTimeout(state.timer);
  Object.assign(state, { view: null, route: null, found: null, error: null });
  byId('view').removeAttribute('aria-busy');
  byId('view').replaceChildren();
}

async function load() {
  state.asking?.abort();
  clearTimeout(state.timer);
  const asking = new AbortController();
  state.asking = asking;
  const { view, route } = state;
  const typing = typedInto();
  byId('view').setAttribute('aria-busy', true);
  const [found, error] = await view.load(route, asking.signal).then((found) => [found, null], (error) => [state.found, error]);
  if (asking.signal.aborted) return;
  Object.assign(state, { found, error });
  byId('view').setAttribute('aria-busy', false);
  redraw(typing);
  // What is under way elsewhere is looked at again.
  const soon = error ? null : view.again?.(found);
  if (soon) state.timer = setTimeout(load, soon);
}

/** Draws what is known, in another language for example. What was typed into a box since `before` stays in it. */
export function redraw(before = null) {
  const { view, route, found, error } = state;
  if (!view) return;
  const place = byId('view');
  const [focused, typed] = [place.contains(document.activeElement) && document.activeElement, typedInto()];
  place.replaceChildren(...(error ? failed(error) : found ? view.draw(found, route) : [heading(view, route), make('p', { className: 'turning wait' }, t('working'))]));
  if (!focused) return;
  // What cannot be pressed for a while has the keyboard back when it can.
  const key = focused === place ? state.lost : focused.dataset.key;
  const again = focusable(key);
  state.lost = again ? null : key;
  (again ?? place).focus({ preventScroll: true });
  if (again && typed && before && typed.key === before.key && typed.text !== before.text) again.value = typed.text;
}

/** The box that is typed into, and what it holds. */
function typedInto() {
  const { dataset, value } = document.activeElement;
  return dataset.key && typeof value === 'string' ? { key: dataset.key, text: value } : null;
}

function focusable(key) {
  return key ? document.querySelector(`[data-key="${CSS.escape(key)}"]:not(:disabled)`) : null;
}

const heading = (view) => make('h2', { id: 'view-title' }, t(`view_${view.name}`));

function failed(error) {
  return [
    heading(state.view),
    make('p', { className: 'problem', role: 'alert' }, why(error)),
    make('p', {}, deed('try_again', refresh)),
  ];
}
