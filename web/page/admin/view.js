// The view that is shown: asked for, drawn, asked for again after a change. The keyboard stays where it is meanwhile.

import { byId, make } from '../shared/element.js';
import { t } from '../shared/text.js';
import { deed } from './list.js';
import { why } from './session.js';

/** `found` is what the `drawn` route asked for; `route` may already ask for something else. */
const state = { view: null, route: null, found: null, drawn: null, error: null, asking: null, timer: null, lost: null };
let drawing = false;

/** Whether what is shown is being replaced: a box that goes is left by nobody. */
export const isDrawing = () => drawing;

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
  byId('view').setAttribute('aria-busy', true);
  const loaded = view.load(route, asking.signal).then((found) => ({ found, drawn: route, error: null }), (error) => ({ error }));
  const come = await loaded;
  if (asking.signal.aborted) return;
  Object.assign(state, come);
  const { found, error } = state;
  byId('view').setAttribute('aria-busy', false);
  redraw();
  // What is under way elsewhere is looked at again.
  const soon = error ? null : view.again?.(found);
  if (soon) state.timer = setTimeout(load, soon);
}

/** Draws what is known, in another language for example. What is being typed into a box stays in it. */
export function redraw() {
  const { view, found, drawn, error } = state;
  if (!view) return;
  const place = byId('view');
  const [focused, typed] = [place.contains(document.activeElement) && document.activeElement, typedInto()];
  const nodes = error ? failed(error) : found ? view.draw(found, drawn) : [heading(view), make('p', { className: 'turning wait' }, t('working'))];
  drawing = true;
  place.replaceChildren(...nodes);
  drawing = false;
  if (!focused) return;
  // What cannot be pressed for a while has the keyboard back when it can.
  const key = focused === place ? state.lost : focused.dataset.key;
  const again = focusable(key);
  state.lost = again ? null : key;
  (again ?? place).focus({ preventScroll: true });
  if (again && typed !== null) again.value = typed;
}

/** What was typed into the box that has the keyboard and is not asked for yet; null when nothing was. */
function typedInto() {
  const box = document.activeElement;
  return box.type === 'search' && box.value.trim() !== box.defaultValue ? box.value : null;
}

function focusable(key) {
  const found = key && document.querySelector(`[data-key="${CSS.escape(key)}"]:not(:disabled)`);
  return found?.checkVisibility() ? found : null;
}

const heading = (view) => make('h2', { id: 'view-title' }, t(`view_${view.name}`));

function failed(error) {
  return [
    heading(state.view),
    make('p', { className: 'problem', role: 'alert' }, why(error)),
    make('p', {}, deed('try_again', refresh)),
  ];
}
