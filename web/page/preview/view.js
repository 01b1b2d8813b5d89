// What the page says about a plan: the sentence, the counts that filter, the notes, the place of an error.

import { VERDICTS } from './answer.js';
import { byId, make } from '../shared/element.js';
import { count, refusalText, sentence, t } from './text.js';

/** Everything above the table. `state` is what is known; `act` is called with what a person chooses. */
export function drawVerdict(state, act) {
  const { result, problem } = state;
  const refusal = result?.refusal;
  byId('verdict').dataset.kind = problem ? 'problem' : refusal ? 'refused' : result ? 'planned' : 'nothing';
  byId('sentence').textContent = headline(state);
  byId('basis').textContent = basis(state);
  drawPlace(state);
  byId('notes').replaceChildren(...notes(result).map((note) => make('li', {}, note)));
  drawFilters(state, act);
}

function headline({ result, problem, options, live, key }) {
  if (problem) return t(`error_${problem.code}`, problem.message);
  if (!result) return t(live && !key ? 'needs_key' : 'nothing');
  if (result.refusal) return refusalText(result.refusal);
  return sentence({ strategy: options.strategy, counts: result.counts, owned: result.owned });
}

function basis({ result, problem }) {
  if (problem || !result) return '';
  if (result.refusal) return `${t('refused')}. ${t('basis_refused')}`;
  return result.live ? t('basis_live', count(result.revision)) : t('basis_empty');
}

function notes(result) {
  if (!result || result.refusal) return [];
  const said = result.notes.map((code) => t(`note_${code}`));
  if (result.tally.skip > 0) said.push(t('note_skips', count(result.tally.skip)));
  if (result.ignored > 0) said.push(t('note_fields', count(result.ignored)));
  return said;
}

/** Where a payload went wrong: the lines with the place marked, or the byte in a payload without lines. */
function drawPlace({ result, place }) {
  const span = result?.refusal?.span;
  byId('place').hidden = !span;
  if (!span) return;
  byId('excerpt').replaceChildren(...(place ? placeInText(place) : [where(t('place_byte', count(span[0])))]));
}

function placeInText(place) {
  const head = place.before.slice(-60);
  const [wrong, ...rest] = place.text.slice(place.before.length, place.before.length + 40);
  const earlier = place.line > 1 ? place.earlier.map((line) => `${line.slice(-100)}\n`).join('') : '';
  return [
    where(t('place', count(place.line), count(place.column))), '\n',
    make('span', { className: 'other' }, earlier),
    head, make('mark', { className: 'wrong' }, wrong ?? ' '), rest.join(''),
  ];
}

const where = (words) => make('span', { className: 'where' }, words);

/** The counts, each a filter. Verdicts that a plan rarely has are shown only when it has them. */
function drawFilters({ result, filter }, act) {
  const shown = result && !result.refusal;
  byId('filters').hidden = !shown;
  if (!shown) return;
  const all = VERDICTS.reduce((sum, verdict) => sum + result.tally[verdict], 0);
  const buttons = [['all', all], ...VERDICTS.map((verdict) => [verdict, result.tally[verdict]])]
    .filter(([name, number]) => number > 0 || name !== 'disable')
    .map(([name, number]) => {
      const button = make('button', { type: 'button', className: `filter ${name}`, disabled: number === 0 && name !== 'all' },
        make('strong', {}, count(number)), ' ', make('span', {}, t(name === 'all' ? name : `verdict_${name}`)));
      button.setAttribute('aria-pressed', name === filter);
      button.addEventListener('click', () => act(name));
      return button;
    });
  replaceKeepingFocus(byId('filters'), buttons);
}

/** New buttons in place of old ones; the keyboard stays where it was. */
function replaceKeepingFocus(group, buttons) {
  const focused = [...group.children].indexOf(document.activeElement);
  group.replaceChildren(...buttons);
  buttons[focused]?.focus();
}
