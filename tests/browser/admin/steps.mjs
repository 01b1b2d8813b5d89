// What a person does on the admin page in most behaviours.

import { until } from '../browser.mjs';

/** Signs in as the administrator, at a view. */
export async function enter(person, hash = '') {
  if (hash) await person.page.goto(`${person.url}${hash}`);
  await person.key('admin');
  await person.click('button', 'Sign in');
  await settled(person);
}

/** Goes to a view by its link. */
export async function view(person, name) {
  await person.click('link', name);
  await headed(person, name);
}

/** The title of the view that is shown. */
export const heading = (person) => person.page.$eval('#view h2', (node) => node.textContent).catch(() => '');

/** Waits until the view with this title is there. */
export async function headed(person, wanted) {
  await until(async () => (await heading(person)) === wanted, 10_000, async () => `the view is \`${await heading(person)}\`, not \`${wanted}\``);
  await settled(person);
}

/** Waits until the view has what it asked for. What was pressed just now gets the time to begin with it. */
export async function settled(person) {
  await person.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 60)));
  const quiet = () => person.page.evaluate(() => document.querySelector('#view')?.getAttribute('aria-busy') === 'false');
  await until(quiet, 10_000, () => 'the view is still busy');
}

/** Waits until the page tells this outcome. */
export async function told(person, wanted) {
  const said = () => person.page.$eval('main > * > [role="status"]', (node) => node.textContent);
  const fits = (text) => (wanted instanceof RegExp ? wanted.test(text) : text === wanted);
  await until(async () => fits(await said()), 10_000, async () => `the page tells \`${await said()}\`, not \`${wanted}\``);
  await settled(person);
}

/** The rows of the list that is shown, or of the open dialog's: the texts of their cells by the titles of the columns. */
export function rows(person) {
  return person.page.evaluate(() => {
    const place = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document;
    const all = [...place.querySelectorAll('[role="table"] tbody [role="row"]')];
    return all.map((row) => {
      const cells = [...row.querySelectorAll('[role="cell"], [role="rowheader"]')];
      return Object.fromEntries(cells.map((cell) => [cell.dataset.title ?? '', cell.innerText.trim()]));
    });
  });
}

/** The lines of the small table with this label: what is told, by what it is about. */
export function facts(person, label) {
  return person.page.$eval(`table[aria-label="${label}"]`, (table) => Object.fromEntries([...table.rows].map((row) => [...row.cells].map((cell) => cell.innerText.trim()))));
}

/** The counts of the plan or the job that is shown, in the open dialog where there is one. */
export function counted(person) {
  return person.page.evaluate(() => {
    const place = document.querySelector('dialog[open]') ?? document.querySelector('#view');
    return [...place.querySelectorAll('[aria-label="Counts"] li')].map((node) => node.textContent);
  });
}

/** Waits until a dialog with this title is open, or none. */
export async function dialog(person, title) {
  const open = () => person.page.evaluate(() => [...document.querySelectorAll('dialog[open] h2')].at(-1)?.textContent ?? null);
  await until(async () => (await open()) === title, 10_000, async () => `the dialog is \`${await open()}\`, not \`${title}\``);
}

/** Whether the button with this label can be pressed. */
export async function canPress(person, label) {
  const button = await person.named('button', label).setWaitForEnabled(false).waitHandle();
  return button.evaluate((node) => !node.disabled);
}

/** Complaints of the browser about answers that were meant to fail are no complaints. */
export function forgive(person, status) {
  person.complaints = person.complaints.filter((said) => !said.includes(String(status)));
}
