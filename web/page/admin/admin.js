// The page for administrators: a key is asked for, then the address says which view is shown.

import { leaveDialogs } from '../shared/dialog.js';
import { byId, make } from '../shared/element.js';
import { drawHead } from '../shared/head.js';
import { t } from '../shared/text.js';
import './text.js';
import { account } from './account.js';
import { accounts, forgetAccounts } from './accounts.js';
import { forgetHistory, history } from './history.js';
import { job } from './job.js';
import { forgetFailures } from './jobs.js';
import { keys } from './keys.js';
import { owners } from './owners.js';
import { forgetPages } from './pages.js';
import { plan } from './plan.js';
import { address, route } from './route.js';
import { sayAgain, unsay } from './said.js';
import { isSignedIn, signIn, signOut, why } from './session.js';
import { sources } from './sources.js';
import { forgetSyncs } from './syncs.js';
import { clear, redraw, show } from './view.js';

const VIEWS = { sources, accounts, owners, keys, history };
/** What is shown where an address names one thing. */
const ONES = { sources: plan, accounts: account, history: job };

/** How far each address was scrolled when the person left it. */
const scrolled = new Map();
/** Why the last key was not taken. */
let refused = null;

/** Shows what the address says; an address of nothing is that of the first view. */
function follow() {
  const asked = route();
  if (!Object.hasOwn(VIEWS, asked.view)) return location.replace(address('sources'));
  drawViews(asked.view);
  // Only an address that is come back to has been seen.
  const top = window.history.state?.seen ? scrolled.get(location.href) : 0;
  window.history.replaceState({ seen: true }, '');
  show((asked.id && ONES[asked.view]) || VIEWS[asked.view], asked, top ?? 0);
}

function drawViews(current) {
  const links = Object.keys(VIEWS).map((name) => make('a', { href: address(name), 'data-key': `view-${name}`, ...(name === current ? { 'aria-current': 'page' } : {}) }, t(`view_${name}`)));
  document.title = `${t(`view_${current}`)} · Tributary`;
  const focused = document.activeElement.dataset.key;
  byId('views').replaceChildren(...links);
  links.find(({ dataset }) => dataset.key === focused)?.focus();
}

async function enter(event) {
  event.preventDefault();
  const input = byId('key');
  const typed = input.value.trim();
  if (typed === '') return explain(() => t('key_needed'));
  explain(null);
  byId('sign-in-now').disabled = true;
  try {
    await signIn(typed);
    input.value = '';
    shown(true);
  } catch (error) {
    explain(() => why(error));
    input.select();
  }
  byId('sign-in-now').disabled = false;
}

/** Says why a key was not taken, or nothing; `words` is asked again in another language. */
function explain(words) {
  refused = words;
  byId('key-problem').textContent = words ? words() : '';
}

/** Shows the views, or the box for the key. */
function shown(signedIn) {
  byId('sign-in').hidden = signedIn;
  byId('desk').hidden = !signedIn;
  signOutButton.hidden = !signedIn;
  if (!signedIn) return byId('key').focus();
  follow();
  byId('view').focus();
}

function leave() {
  signOut();
  leaveDialogs();
  document.title = t('title');
  clear();
  unsay();
  forgetAccounts();
  forgetHistory();
  forgetSyncs();
  forgetFailures();
  forgetPages();
  scrolled.clear();
  // What was typed into filters stands in the address, and whom was looked at.
  window.history.replaceState(null, '', address(route().view));
  shown(false);
}

const signOutButton = make('button', { type: 'button', className: 'button quiet', hidden: true, 'data-text': 'sign_out' });
signOutButton.addEventListener('click', leave);

window.history.scrollRestoration = 'manual';
drawHead('admin', (name) => {
  if (name !== 'language') return;
  if (!isSignedIn()) return explain(refused);
  drawViews(route().view);
  sayAgain();
  redraw();
});
byId('key-form').addEventListener('submit', enter);
byId('top').querySelector('.settings').append(signOutButton);
signOutButton.textContent = t('sign_out');
byId('skip').addEventListener('click', (event) => {
  // The address says which view is shown, and stays.
  event.preventDefault();
  byId(isSignedIn() ? 'view' : 'key').focus();
});
// What was told of the last deed goes when the next one begins.
byId('view').addEventListener('click', ({ target }) => target.closest('button') && unsay(), true);
addEventListener('hashchange', ({ oldURL }) => {
  if (!isSignedIn()) return;
  scrolled.set(oldURL, scrollY);
  unsay();
  leaveDialogs();
  follow();
});
shown(false);
document.documentElement.dataset.ready = 'true';
