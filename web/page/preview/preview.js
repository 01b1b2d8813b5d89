// The page: gathers payload and options, wishes for a plan whenever they change, and shows what comes back.

import { copying } from '../shared/copy.js';
import { openDialog } from '../shared/dialog.js';
import { button, byId, choose, chosen, make } from '../shared/element.js';
import { drawHead } from '../shared/head.js';
import { codeOf } from '../shared/server.js';
import { Table } from '../shared/table.js';
import { curlCommand } from './curl.js';
import { confirmed, inject } from './inject.js';
import { Parts } from './parts.js';
import { Payload } from './payload.js';
import { Planner } from './planner.js';
import { details, drawRow } from './rows.js';
import { SAMPLES } from './samples.js';
import { count, sentence, t } from './text.js';
import { drawVerdict } from './view.js';

/** Pause after a change before a plan is wished for, in ms: shorter than a breath, longer than a keystroke. */
const PAUSE = { empty: 120, live: 400 };

const state = { options: {}, live: false, key: '', result: null, problem: null, filter: 'all', row: null, phase: ['starting'], cancelled: false, asking: false };

const planner = new Planner({ phase: onPhase, planned: onPlanned, rows: onRows, failed: onFailed });
const parts = new Parts((from, number) => planner.rows(state.filter, from, number));
const table = new Table({
  grid: byId('grid'),
  scroller: byId('scroller'),
  body: byId('rows'),
  row: (at) => parts.row(at),
  want: (first, last) => parts.want(first, last),
  draw: drawRow,
  choose: showRow,
});
/** The wish that waits for its pause to end. */
let wishing = null;
const payload = new Payload(wish);

/** Plans after a short pause, from whatever the page says then. Until that is planned, nothing is injected. */
function wish() {
  unwish();
  readOptions();
  wishing = setTimeout(planNow, state.live ? PAUSE.live : PAUSE.empty);
  say(null);
}

function unwish() {
  clearTimeout(wishing);
  wishing = null;
}

function readOptions() {
  const options = { strategy: chosen('strategy'), source_id: byId('source-id').value.trim(), provider: byId('provider').value };
  state.options = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== ''));
  state.live = chosen('pool') === 'live';
  state.key = byId('key').value.trim();
  byId('key-field').hidden = !state.live;
  byId('strategy-hint').textContent = t(`${state.options.strategy}_hint`);
}

function planNow() {
  unwish();
  state.cancelled = false;
  if (payload.isEmpty || (state.live && !state.key)) {
    planner.cancel();
    return show({ result: null, problem: null, phase: null });
  }
  setPhase('planning');
  planner.plan({ source: payload.source, options: state.options, key: state.live ? state.key : null });
  drawActions();
}

/** Whether the plan that is shown may be another than what the page says now would give. */
const isStale = () => wishing !== null || planner.busy;

function onPhase({ name, done, total }) {
  setPhase(name, done === null ? null : count(done), total === null ? null : count(total));
}

function onPlanned(result) {
  state.place = result.refusal?.span ? payload.lineOf(result.refusal.span[0]) : null;
  if (result.tally && state.filter !== 'all' && result.tally[state.filter] === 0) state.filter = 'all';
  show({ result, problem: null, phase: result.refusal ? null : ['drawing'] });
  if (result.refusal?.span) payload.mark(result.refusal.span, 'wrong');
  else if (!result.refusal) payload.mark(null);
}

function onFailed({ code, message }) {
  show({ result: null, problem: { code, message }, phase: null });
}

function onRows({ verdict, from, rows }) {
  if (verdict !== state.filter) return;
  parts.give(from, rows);
  table.came(from, rows.length);
  if (state.phase?.[0] === 'drawing') requestAnimationFrame(() => setPhase(null));
}

/** Shows another plan, or that there is none. */
function show({ result, problem, phase }) {
  Object.assign(state, { result, problem, phase, row: null });
  const rows = result && !result.refusal ? rowsOf(state.filter) : 0;
  byId('grid').hidden = rows === 0;
  byId('empty').hidden = !payload.isEmpty;
  resetRows(rows);
  if (rows === 0 && phase?.[0] === 'drawing') state.phase = null;
  draw();
}

function rowsOf(filter) {
  const { tally } = state.result;
  return filter === 'all' ? Object.values(tally).reduce((sum, number) => sum + number, 0) : tally[filter];
}

function resetRows(length) {
  parts.clear();
  table.reset(length);
}

/** Everything but the rows, from what is known. */
function draw() {
  drawVerdict(state, filterBy);
  drawPhase();
  drawDetails();
  drawActions();
}

function filterBy(filter) {
  state.filter = filter;
  state.row = null;
  resetRows(rowsOf(filter));
  draw();
}

function setPhase(name, done = null, total = null) {
  state.phase = name && [name, done, total];
  drawPhase();
}

function drawPhase() {
  const { phase, result } = state;
  const time = (ms) => (ms < 1000 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`);
  const done = result && !result.refusal ? t('phase_done', count(rowsOf('all')), time(result.ms)) : '';
  byId('phase').textContent = state.cancelled ? t('cancelled') : (phase ? t(`phase_${phase[0]}`, phase[1] ?? null, phase[2] ?? null) : done);
  byId('progress').dataset.busy = Boolean(phase);
  byId('again').hidden = !state.cancelled;
  byId('cancel').hidden = !phase || phase[0] === 'injecting' || phase[0] === 'starting';
}

/** A row that was chosen: its span in the payload, and everything about it. By key, the keyboard goes to the payload. */
function showRow(row, byKey) {
  state.row = row;
  drawDetails();
  byId('details').scrollIntoView({ block: 'nearest' });
  if (row.span) payload.mark(row.span, 'chosen', byKey);
}

function drawDetails() {
  const panel = byId('details');
  panel.hidden = !state.row;
  if (!state.row) return panel.replaceChildren();
  const { row } = state;
  panel.replaceChildren(...details(row, {
    showInPayload: () => payload.mark(row.span, 'chosen', true),
    goToEntry: () => goToEntry(row.first),
    close: () => {
      state.row = null;
      drawDetails();
      table.focusRow();
    },
  }));
}

async function goToEntry(index) {
  const at = await planner.locate(index);
  if (at < 0) return;
  if (state.filter !== 'all') filterBy('all');
  table.goTo(at);
}

function drawActions() {
  const { result, live } = state;
  const ready = result && !isStale() && !result.refusal && result.live && result.counts.total > 0;
  byId('inject').disabled = !ready || state.phase?.[0] === 'injecting';
  byId('inject').textContent = t('inject');
  byId('curl').disabled = !result || Boolean(result.refusal);
  if (state.said) byId('action-hint').textContent = state.said();
  else byId('action-hint').textContent = !live ? t('inject_hint_empty') : ready || isStale() || !result ? '' : t('inject_hint_nothing');
}

/** Says something beside the buttons until the next change, or nothing; `words` is asked again in another language. */
function say(words) {
  state.said = words;
  drawActions();
}

async function injectNow() {
  if (state.asking) return;
  const { result, options, key } = state;
  const { source } = payload;
  try {
    state.asking = true;
    if ((await planner.revision(key)) !== result.revision) return lookAgain('pool_moved');
    if (isStale() || state.result !== result) return lookAgain('plan_moved');
    if (!(await confirmed(result.counts, sentence({ strategy: options.strategy, ...result })))) return;
    setPhase('injecting');
    drawActions();
    const { added, skipped, removed } = await inject({ source, options, key, previewed: result.hash });
    const { disabled } = result.counts;
    const said = disabled > 0 ? 'injected_disabling' : 'injected';
    say(() => t(said, ...[added, skipped, removed, disabled].map((number) => count(number))));
    planNow();
  } catch (error) {
    if (error.code === 'cancelled') return;
    setPhase(null);
    // Another plan would be made now, and nothing was injected.
    if (error.status === 409) return lookAgain('plan_moved');
    say(() => t(`error_${codeOf(error)}`, error.message));
  } finally {
    state.asking = false;
    // The button that was pressed may be out of use now.
    const at = document.activeElement;
    if (at === document.body || at.disabled) byId('plan').focus();
  }
}

/** What would be done may no longer be what was previewed: `why` says so, it is planned anew, and nothing else is done. */
function lookAgain(why) {
  say(() => t(why));
  planNow();
}

function showCommand() {
  const command = make('pre', { tabIndex: 0, role: 'region', 'aria-label': t('curl_title') }, curlCommand(state.options, document.baseURI));
  const { copy, said } = copying(command);
  openDialog({
    title: t('curl_title'),
    content: [make('p', {}, t('curl_text')), command, make('p', { className: 'copying' }, copy, said)],
    focus: copy,
  });
}

/** Samples as options of the menu, and as buttons where there is nothing else to show. */
function drawSamples() {
  const options = SAMPLES.map(({ name }) => make('option', { value: name }, t(`sample_${name}`)));
  byId('samples').replaceChildren(make('option', { value: '' }, t('samples_choose')), ...options);
  const buttons = SAMPLES.map((sample) => button(t(`sample_${sample.name}`), () => takeSample(sample)));
  byId('empty').replaceChildren(make('p', {}, t('nothing_text')), make('div', { className: 'tools' }, ...buttons));
}

function takeSample({ text, options }) {
  choose('strategy', options?.strategy ?? 'merge');
  byId('source-id').value = options?.source_id ?? '';
  payload.write(text);
}

function takeFile(file) {
  if (file) payload.take(file, file.name);
}

function listen() {
  const on = (id, type, action) => byId(id).addEventListener(type, action);
  for (const id of ['strategy', 'provider', 'pool']) on(id, 'change', wish);
  for (const id of ['source-id', 'key']) on(id, 'input', wish);
  on('pick', 'click', () => byId('file').click());
  on('file', 'change', ({ target }) => {
    takeFile(target.files[0]);
    target.value = '';
  });
  on('samples', 'change', ({ target }) => {
    const sample = SAMPLES.find(({ name }) => name === target.value);
    target.value = '';
    if (sample) takeSample(sample);
  });
  on('clear', 'click', () => {
    payload.write('');
    byId('text').focus();
  });
  on('cancel', 'click', () => {
    unwish();
    planner.cancel();
    state.cancelled = true;
    show({ result: null, problem: null, phase: null });
    byId('again').focus();
  });
  on('again', 'click', planNow);
  on('show-place', 'click', () => payload.mark(state.result.refusal.span, 'wrong', true));
  on('text', 'keydown', (event) => event.key === 'Escape' && state.row && table.focusRow());
  on('inject', 'click', injectNow);
  on('curl', 'click', showCommand);
}

/** A file dropped anywhere is taken, but not under a dialog, which asks about the payload that was there before. */
function listenToDrops() {
  const isAsked = () => document.querySelector('dialog[open]') !== null;
  const hasFile = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
  const cover = byId('drop');
  addEventListener('dragover', (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    cover.hidden = isAsked();
  });
  addEventListener('dragleave', (event) => { if (!event.relatedTarget) cover.hidden = true; });
  addEventListener('drop', (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    cover.hidden = true;
    if (!isAsked()) takeFile(event.dataTransfer.files[0]);
  });
}

drawHead('preview', (name) => {
  if (name !== 'language') return;
  drawSamples();
  payload.speak();
  readOptions();
  table.redraw();
  draw();
});
drawSamples();
listen();
listenToDrops();
takeSample(SAMPLES[0]);
document.documentElement.dataset.ready = 'true';
