// English: words of all pages.

/** A number with its noun, whose plural is another word; `number` is written as people write it. */
export const many = (number, one, more) => (number === '1' ? `1 ${one}` : `${number} ${more}`);
/** Parts as people enumerate them. */
export const list = (parts) => (parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`);

export const en = {
  pages: 'Pages',
  page_preview: 'Preview',
  page_admin: 'Admin',
  language: 'Language',
  theme: 'Theme',
  theme_auto: 'Auto',
  theme_light: 'Light',
  theme_dark: 'Dark',
  strategy: 'Strategy',
  merge: 'Merge',
  replace: 'Replace',
  merge_hint: 'Adds what is new, updates what exists, removes nothing.',
  replace_hint: 'Makes the accounts of the source equal the payload. What others own stays.',
  source_id: 'Source id',
  key: 'Admin key',
  cancel: 'Cancel',
  close: 'Close',
  copy: 'Copy',
  copied: 'Copied.',
  working: 'One moment …',
  not_copied: 'Could not copy; the text above is selected.',
  owner_local: 'added by hand',
  skip_blank: 'It is blank',
  skip_entry_type: 'Neither a token nor an object',
  skip_token_missing: 'No token in it',
  skip_token_type: 'Its token is not a string',
  skip_token_too_long: 'Its token is over 64 KiB',
  skip_provider_unknown: 'Unknown provider',
  skip_duplicate: (first) => `Same token as entry ${first}`,
  none: 'none',
  error_unauthorized: 'The server does not know this key.',
  error_forbidden: 'This key is not an administrator’s.',
  error_no_server: 'No Tributary server answers at this address.',
  error_unreachable: 'The server cannot be reached.',
  error_refused: (message) => `The server refused: ${message}`,
};
