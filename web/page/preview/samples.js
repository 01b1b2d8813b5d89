// Payloads to start from, failing ones among them. All tokens are invented.

const json = (value) => JSON.stringify(value, null, 2);

/** Name, text, and the options that go with it. */
export const SAMPLES = [
  {
    name: 'mixed',
    text: json([
      'example-gpt-token-1',
      { access_token: 'example-gpt-token-2', type: 'plus', email: 'ada@example.test', quota: 40 },
      { token: 'example-grok-token-1', provider: 'xai', type: 'basic', metadata: { team: 'ops' } },
      { token: 'example-gpt-token-1', type: 'pro' },
      { token: 'example-token-4', provider: 'claude' },
      { email: 'nobody@example.test' },
      { token: 'example-gpt-token-5', refresh_token: 'example-refresh-5', quota: 'forty' },
      '',
    ]),
  },
  {
    name: 'tokens',
    text: json({ tokens: ['example-gpt-token-1', 'example-gpt-token-2', 'example-gpt-token-3'] }),
  },
  {
    name: 'accounts',
    text: json({
      accounts: [
        { access_token: 'example-gpt-token-3', provider: 'gpt', type: 'plus', quota: 25, status: '正常' },
        { token: 'example-grok-token-1', provider: 'grok', type: 'basic', metadata: { team: 'ops' } },
      ],
    }),
  },
  {
    name: 'emoji',
    text: '[\n  {"token": "example-token-🌊-1", "note": "Fluß, 河, река"},\n  {"token": "example-token-👩‍🚀-2", "note": "👋🏽"},\n  "example-token-3"\n]',
  },
  { name: 'comma', text: '{\n  "tokens": [\n    "example-gpt-token-1",\n    "example-gpt-token-2",\n  ]\n}' },
  { name: 'shape', text: json({ data: ['example-gpt-token-1'] }) },
  {
    name: 'replace',
    text: json([{ token: 'example-gpt-token-1' }, { note: 'where is my token?' }]),
    options: { strategy: 'replace', source_id: 'manual-gpt' },
  },
];
