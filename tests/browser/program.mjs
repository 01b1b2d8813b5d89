// The server as a program asks it, beside what a person does on its pages.

/** What a program with the administrator's secret can ask the server at `url`. */
export function program(url) {
  const headers = { Authorization: 'Bearer admin', 'Content-Type': 'application/json' };
  const ask = async (method, path, body) => {
    const response = await fetch(new URL(path, url), { method, headers, body: body && JSON.stringify(body) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  return {
    get: async (path) => (await ask('GET', path)).json(),
    post: async (path, body) => (await ask('POST', path, body)).json(),
    inject: async (body) => (await ask('POST', 'api/remote-account/inject', body)).json(),
    pool: async () => {
      const lines = (await (await ask('POST', 'api/accounts/export')).text()).split('\n').filter(Boolean);
      return new Map(lines.map((line) => JSON.parse(line)).map((account) => [account.access_token, account]));
    },
  };
}
