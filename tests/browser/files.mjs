// Servers that stand between: any static file server, and one that keeps what passes through it.

import { createServer, request as ask } from 'node:http';
import { createReadStream, existsSync } from 'node:fs';
import { extname, join } from 'node:path';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.wasm': 'application/wasm' };

/** Serves on a port of 127.0.0.1 until `close`. `extra` maps addresses to files. */
export async function serveFiles(folder, extra = {}) {
  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://127.0.0.1').pathname;
    const file = extra[path] ?? join(folder, path === '/' ? 'index.html' : path.slice(1));
    if (request.method !== 'GET' || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  });
  return listen(server);
}

/** Passes everything on to the server at `url`, and keeps each request: its address, headers and body as text. */
export async function record(url) {
  const sent = [];
  const server = createServer((request, response) => {
    const { method, headers } = request;
    const onward = ask(new URL(request.url, url), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    const body = [];
    request.on('data', (piece) => body.push(piece));
    request.on('end', () => sent.push({ path: request.url, text: `${request.url}\n${JSON.stringify(headers)}\n${Buffer.concat(body)}` }));
    request.pipe(onward);
  });
  return { ...(await listen(server)), sent };
}

/** A source of accounts: answers `answers` by address, each `{ status, body, held }`; one that is `held` waits for that. */
export async function upstream(answers) {
  const asked = [];
  const server = createServer(async (request, response) => {
    const { status = 200, body = '', held = null } = answers[request.url] ?? { status: 404 };
    asked.push({ method: request.method, path: request.url, headers: request.headers });
    await held;
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
  });
  return { ...(await listen(server)), asked };
}

async function listen(server) {
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () => { server.closeAllConnections(); server.close(); },
  };
}
