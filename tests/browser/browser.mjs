// Starts a browser and finds things on the page as a person does: by label and role.

import { createRequire } from 'node:module';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const require = createRequire(join(process.env.BROWSER_PACKAGES, 'package.json'));
const puppeteer = require('puppeteer-core');
export const axeSource = require('axe-core').source;

const CHROMIUM = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const FIREFOX = {
  'app.update.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'browser.safebrowsing.downloads.remote.enabled': false,
  'extensions.systemAddon.update.enabled': false,
  'services.settings.server': 'http://127.0.0.1:9/',
};

/** A browser by name: `chromium` or `firefox`, with the program that runs it. */
export function launch(name, program) {
  // Where all tests begin at once and its program is not in memory yet, half a minute was not always enough to start it.
  const common = { executablePath: program, headless: true, timeout: 120_000, protocolTimeout: 120_000 };
  return name === 'firefox'
    ? puppeteer.launch({ ...common, browser: 'firefox', extraPrefsFirefox: FIREFOX })
    : puppeteer.launch({ ...common, browser: 'chrome', args: CHROMIUM });
}

/** What a person can do on the page, and see of it. */
export class Person {
  static async at(browser, url, { width = 1440, height = 900 } = {}) {
    const person = new Person();
    person.page = await browser.newPage();
    person.requests = [];
    person.complaints = [];
    person.page.on('request', (request) => person.requests.push(request));
    person.page.on('pageerror', (error) => person.complaints.push(`error: ${error.message}`));
    person.page.on('console', (message) => message.type() === 'error' && person.complaints.push(message.text()));
    await person.page.setViewport({ width, height });
    person.url = url;
    await person.open();
    return person;
  }

  async open() {
    await this.page.goto(this.url);
    await this.page.waitForSelector('html[data-ready="true"]');
  }

  close() {
    return this.page.close();
  }

  named(role, name) {
    return this.page.locator(`::-p-aria([name="${name}"][role="${role}"])`).setTimeout(20_000);
  }

  /** Clicks the visible button with this label as soon as there is one: it may be there for a moment only. */
  async clickSoon(label, patience = 10_000) {
    const clicked = () => this.page.evaluate((wanted) => {
      const button = [...document.querySelectorAll('button')].find((node) => node.textContent === wanted && node.checkVisibility());
      button?.click();
      return Boolean(button);
    }, label);
    await until(clicked, patience, () => `no button \`${label}\``);
  }

  /** Clicks the first link or button in sight whose name matches. */
  async clickLabelled(pattern) {
    const clicked = () => this.page.evaluate((source) => {
      const named = (node) => node.getAttribute('aria-label') ?? node.textContent;
      const node = [...document.querySelectorAll('#view :is(a, button)')].find((one) => one.checkVisibility() && new RegExp(source).test(named(one)));
      node?.click();
      return Boolean(node);
    }, pattern.source);
    await until(clicked, 10_000, () => `nothing is labelled \`${pattern.source}\``);
  }

  click(role, name) {
    return this.named(role, name).click();
  }

  /** The box with this label: that of the open dialog, where there is one. Firefox gives some boxes no role to find them by. */
  async box(label) {
    const labelled = (wanted) => {
      const place = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document;
      return [...place.querySelectorAll('label')].find((node) => node.textContent === wanted && node.checkVisibility())?.control;
    };
    let box = null;
    const found = async () => (box = (await this.page.evaluateHandle(labelled, label)).asElement()) !== null;
    await until(found, 10_000, () => `no box labelled \`${label}\``);
    return box;
  }

  /** Types a text into the box with this label, or chooses the option that reads so. */
  async put(label, text) {
    const box = await this.box(label);
    const isChosen = await box.evaluate((node, wanted) => {
      node.focus();
      if (node.tagName !== 'SELECT') return node.select();
      node.value = [...node.options].find((option) => option.textContent === wanted).value;
      for (const type of ['input', 'change']) node.dispatchEvent(new Event(type, { bubbles: true }));
      return true;
    }, text);
    if (isChosen) return;
    if (text === '') await this.page.keyboard.press('Backspace');
    else await box.type(text);
  }

  /** Types a key. */
  key(text) {
    return this.put('Admin key', text);
  }

  /** The addresses that were asked over the network. */
  asked(from = 0) {
    return this.requests.slice(from).map((request) => request.url()).filter((url) => /^(https?|wss?):/.test(url));
  }

  async fill(role, name, text) {
    await this.named(role, name).fill(text);
  }

  /** Writes a payload as pasting would. */
  async write(text, label = 'Payload text') {
    const box = await this.named('textbox', label).waitHandle();
    await box.evaluate((area, value) => {
      area.focus();
      area.value = value;
      area.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertFromPaste' }));
    }, text);
  }

  async sample(name) {
    const menu = await this.named('combobox', 'Samples').waitHandle();
    await menu.evaluate((select, label) => {
      select.value = [...select.options].find((option) => option.textContent === label).value;
      select.dispatchEvent(new Event('change', { bubbles: true }));
    }, name);
  }

  async file(path) {
    const input = await this.page.$('input[type="file"]');
    await input.uploadFile(path);
  }

  /** Waits until the page's sentence is this one, or matches. */
  async reads(wanted, patience = 20_000) {
    const matches = (text) => (wanted instanceof RegExp ? wanted.test(text) : text === wanted);
    await until(async () => matches(await this.sentence()), patience, async () => `the sentence is \`${await this.sentence()}\`, not \`${wanted}\`, and the page is at \`${await this.phase()}\``);
  }

  /** What the page says that it is doing. */
  phase() {
    return this.page.$eval('#phase', (node) => node.textContent).catch(() => '');
  }

  sentence() {
    return this.page.$eval('main section h2[aria-live]', (node) => node.textContent);
  }

  /** Waits until the page says this somewhere. */
  async says(text, patience = 20_000) {
    await until(() => this.page.evaluate((wanted) => document.body.innerText.includes(wanted), text), patience, () => `the page does not say \`${text}\``);
  }

  /** The rows in sight, each as the texts of its cells. */
  rows() {
    return this.page.$$eval('[role="grid"] [role="row"]', (rows) =>
      rows.slice(1).map((row) => [...row.querySelectorAll('[role="gridcell"]')].map((cell) => cell.textContent.trim())));
  }

  async row(index) {
    await until(async () => (await this.rows()).some((row) => row[0] === String(index)), 10_000, () => `no row of entry ${index}`);
    const handles = await this.page.$$('[role="grid"] [role="rowgroup"] [role="row"]');
    for (const handle of handles) {
      const cell = await handle.$eval('[role="gridcell"]', (node) => node.textContent.trim()).catch(() => null);
      if (cell === String(index)) return handle;
    }
    throw new Error(`no row of entry ${index}`);
  }

  /** What is selected in the payload. */
  selected() {
    return this.page.$eval('textarea', (area) => area.value.slice(area.selectionStart, area.selectionEnd));
  }

  press(...keys) {
    return keys.reduce((before, key) => before.then(() => this.page.keyboard.press(key)), Promise.resolve());
  }

  /** Sets language and theme by their own switches. */
  choose(name) {
    return this.click('radio', name);
  }

  async picture(name) {
    const folder = process.env.SCREENSHOTS;
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${process.env.BROWSER}-${name}.png`) });
  }

  /** Fails on anything that axe-core finds wrong. */
  async accessible(what) {
    const has = await this.page.evaluate(() => Boolean(globalThis.axe));
    if (!has) await this.page.evaluate(axeSource);
    const found = await this.page.evaluate(async () => {
      const { violations } = await globalThis.axe.run(document);
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
    });
    if (found.length > 0) throw new Error(`${what}: ${found.join('\n')}`);
  }
}

/** Waits until `check` holds. */
export async function until(check, patience, otherwise) {
  const end = Date.now() + patience;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(await otherwise());
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}
