// Answers cases with the module that the page itself loads, on the page's own address and under its policy.

import { Person } from './browser.mjs';

/** The version of browser and module, and the answers in base64. */
export async function task(browser, { url, cases, version }) {
  const person = await Person.at(browser, url);
  const answered = await person.page.evaluate(async (cases) => {
    const module = await import('./tributary_web.js');
    await module.default({ module_or_path: './tributary_web_bg.wasm' });
    const bytes = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const base64 = (bytes) => {
      let text = '';
      for (const byte of bytes) text += String.fromCharCode(byte);
      return btoa(text);
    };
    const answers = cases.map(([payload, context]) => base64(module.plan(bytes(payload), bytes(context))));
    return { answers, module: module.version() };
  }, cases);
  return { version, ...answered };
}
