// Dialogs: a question, what it is about, and the buttons that end it. The keyboard comes back to where it was.

import { button, make } from './element.js';
import { t } from './text.js';

/** Dialogs opened so far: a name for each title, since one dialog may open another. */
let opened = 0;
/** Ways to leave the questions that are open. What is only told, as a new key, stays until it is closed. */
const open = new Set();

/** Leaves every open question, since the person went elsewhere. One whose act is under way stays, to be answered no more. */
export function leaveDialogs() {
  for (const leave of [...open]) leave();
}

/**
 * Opens a dialog and gives what `act` gave, or null when the person left it. While `act` is under way nothing can be
 * pressed; when it fails, `explain(error)` says why and the dialog stays. Without `yes` there is only a way to close it.
 */
export function openDialog({ title, content, yes = null, act = () => true, ready = () => true, explain = String, danger = false, wide = false, focus = null }) {
  const titleId = `dialog-title-${(opened += 1)}`;
  const problem = make('p', { className: 'problem', role: 'alert' });
  const leave = button(t(yes ? 'cancel' : 'close'), () => end(null));
  const go = yes && make('button', { type: 'submit', className: danger ? 'button primary danger' : 'button primary' }, yes);
  const form = make('form', { noValidate: true },
    make('h2', { id: titleId }, title),
    make('div', { className: 'dialog-body' }, ...content),
    problem,
    make('p', { className: 'buttons' }, leave, go));
  const dialog = make('dialog', { className: wide ? 'wide' : '', 'aria-labelledby': titleId }, form);
  const opener = document.activeElement;
  let busy = false;
  let left = false;
  let answer = null;

  const judge = () => { if (go) go.disabled = busy || left || !ready(); };
  const end = (given) => {
    answer = given;
    busy = false;
    dialog.close();
  };
  const away = () => {
    left = true;
    if (!busy && dialog.open) end(null);
  };
  const submit = async () => {
    if (!go || go.disabled) return;
    setBusy(true);
    problem.textContent = '';
    try {
      end(await act(dialog));
    } catch (error) {
      setBusy(false);
      problem.textContent = explain(error, dialog);
    }
  };
  const setBusy = (now) => {
    busy = now;
    leave.disabled = now;
    form.setAttribute('aria-busy', now);
    judge();
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  form.addEventListener('input', () => {
    problem.textContent = '';
    judge();
  });
  dialog.addEventListener('cancel', (event) => busy && event.preventDefault());
  // A browser closes it at the second Escape all the same.
  dialog.addEventListener('keydown', (event) => event.key === 'Escape' && busy && event.preventDefault());
  document.body.append(dialog);
  if (yes) open.add(away);
  judge();
  dialog.showModal();
  (focus ?? (go && !danger ? go : leave)).focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      if (busy) return dialog.showModal();
      open.delete(away);
      dialog.remove();
      giveBack(opener);
      resolve(answer);
    });
  });
}

/** The keyboard goes back to what opened the dialog, or to what stands in its place now. */
function giveBack(opener) {
  if (opener?.isConnected) return opener.focus();
  const again = opener?.dataset.key && document.querySelector(`[data-key="${CSS.escape(opener.dataset.key)}"]`);
  (again?.checkVisibility() ? again : document.querySelector('main')).focus();
}

/** A box in which a number is typed before something goes; `matches()` tells whether it was. */
export function typedNumber(number, label) {
  const input = make('input', { id: 'typed-number', type: 'text', inputMode: 'numeric', autocomplete: 'off' });
  const node = make('div', { className: 'field' }, make('label', { htmlFor: input.id }, label), input);
  return { node, input, matches: () => digits(input.value) === String(number) };
}

/** A number as typed, without what people put between thousands. */
function digits(text) {
  return text.replace(/[\s,.\u00a0\u202f]/g, '');
}
