// How long the page's module takes to plan a payload, in milliseconds, one figure a run.

import { Person } from './browser.mjs';
import { serveFiles } from './files.mjs';

export async function task(browser, { web, payload, count, runs, version }) {
  const files = await serveFiles(web, { '/bench-payload': payload });
  const person = await Person.at(browser, files.url);
  const times = await person.page.evaluate(async (count, runs) => {
    const module = await import('./tributary_web.js');
    await module.default({ module_or_path: './tributary_web_bg.wasm' });
    const payload = new Uint8Array(await (await fetch('./bench-payload')).arrayBuffer());
    const context = new TextEncoder().encode('{}');
    const times = [];
    for (let run = 0; run < runs; run++) {
      const began = performance.now();
      const answer = module.plan(payload, context);
      times.push(performance.now() - began);
      const added = Number(/"added":(\d+)/.exec(new TextDecoder().decode(answer.subarray(0, 400)))[1]);
      if (added !== count) throw new Error(`added ${added}`);
    }
    return times;
  }, count, runs);
  files.close();
  return { version, times };
}
