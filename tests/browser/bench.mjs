// How long the page's module takes to plan a payload that is in its memory, in milliseconds, one figure a run.

import { Person } from './browser.mjs';
import { serveFiles } from './files.mjs';

export async function task(browser, { web, payload, count, runs, version }) {
  const files = await serveFiles(web, { '/bench-payload': payload });
  const person = await Person.at(browser, files.url);
  const times = await person.page.evaluate(async (count, runs) => {
    const module = await import('./tributary_web.js');
    // What it exports itself: the function for pages copies the payload in and the answer out.
    const wasm = await module.default({ module_or_path: './tributary_web_bg.wasm' });
    const lend = (bytes) => {
      const ptr = wasm.__wbindgen_malloc(bytes.length, 1) >>> 0;
      new Uint8Array(wasm.memory.buffer, ptr, bytes.length).set(bytes);
      return [ptr, bytes.length];
    };
    const payload = new Uint8Array(await (await fetch('./bench-payload')).arrayBuffer());
    const context = new TextEncoder().encode('{}');
    const times = [];
    for (let run = 0; run < runs; run++) {
      // `plan` gives back what it is lent.
      const lent = [...lend(payload), ...lend(context)];
      const began = performance.now();
      const [ptr, len] = wasm.plan(...lent);
      times.push(performance.now() - began);
      const answer = new TextDecoder().decode(new Uint8Array(wasm.memory.buffer, ptr >>> 0, 400));
      if (!answer.includes(`"added":${count},`)) throw new Error(answer);
      wasm.__wbindgen_free(ptr, len, 1);
    }
    return times;
  }, count, runs);
  files.close();
  return { version, times };
}
