// The import that the page shows, as a command for a shell.

import { payloadHead } from '../shared/body.js';

/** A text as one word of a POSIX shell. */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The same import as curl, with placeholders for the key and the payload. */
export function curlCommand(options, page) {
  const address = new URL('api/remote-account/inject', page).href;
  return [
    `{ printf %s ${quoted(payloadHead(options))}; cat payload.json; printf %s '}'; } |`,
    `  curl ${quoted(address)} \\`,
    "    -H 'Authorization: Bearer ADMIN_KEY' \\",
    "    -H 'Content-Type: application/json' \\",
    '    --data-binary @-',
  ].join('\n');
}
