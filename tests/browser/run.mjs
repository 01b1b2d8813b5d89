// `node run.mjs TASK` does one task of tasks/, told on standard input as JSON and answered on standard output as JSON.

import { launch } from './browser.mjs';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const told = JSON.parse(Buffer.concat(chunks).toString('utf8'));
const { task } = await import(`./${process.argv[2]}.mjs`);
const browser = await launch(process.env.BROWSER, process.env.BROWSER_PROGRAM);
try {
  const answer = await task(browser, { ...told, version: await browser.version() });
  process.stdout.write(JSON.stringify(answer));
} finally {
  await browser.close();
}
process.exit(0);
