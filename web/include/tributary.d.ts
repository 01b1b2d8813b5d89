// Made of the two schemas beside it by `TRIBUTARY_BLESS=1 cargo prove typescript`.

export type Context = { outline?: boolean | null; plan_hash?: boolean | null; pool?: Array<ContextAccount> | null; provider?: "gpt" | "grok" | "" | null; removal?: "remove" | "disable" | null; salt?: string | null; source_id?: string | null; strategy?: "merge" | "replace" | null };
export type ContextAccount = { earlier_status?: string | null; fields?: Record<string, unknown> | null; fingerprint: ContextFingerprint; owners?: { local?: boolean | null; sources?: Array<string> | null } | null; provider?: "gpt" | "grok" | null; secrets?: Array<ContextFingerprint> | null; token?: string | null };
export type ContextFingerprint = string;

export type Answer = { plan?: AnswerPlan; refusal?: AnswerRefusal };
export type AnswerChange = { change: "add" | "update" | "release" | "disable" | "remove"; fields: Array<{ after: unknown; before: unknown; name: string }>; fingerprint: AnswerFingerprint; index?: AnswerCount; owners: { after: AnswerOwners | null; before: AnswerOwners | null }; provider: { after: AnswerProvider | null; before: AnswerProvider | null }; span?: AnswerSpan; token: string };
export type AnswerCount = number;
export type AnswerFingerprint = string;
export type AnswerOutlined = { change: "add" | "update"; fingerprint: AnswerFingerprint; index: AnswerCount; span: AnswerSpan; token: string };
export type AnswerOwners = { local: boolean; sources: Array<string> };
export type AnswerPlan = { changes: Array<AnswerChange | AnswerOutlined>; counts: { added: AnswerCount; disabled: AnswerCount; released: AnswerCount; removed: AnswerCount; skipped: AnswerCount; total: AnswerCount; unchanged: AnswerCount; updated: AnswerCount }; notes: Array<{ code: "field_ignored" | "accounts_ignored" | "tokens_ignored"; field?: string; index?: AnswerCount }>; plan_hash?: string; provider: AnswerProvider; shape: "list" | "accounts" | "tokens"; skips: Array<{ first?: AnswerCount; index: AnswerCount; reason: "blank" | "entry_type" | "entry_too_long" | "token_missing" | "token_type" | "token_too_long" | "provider_unknown" | "duplicate"; span: AnswerSpan }>; source_id: string | null; strategy: "merge" | "replace"; unchanged: Array<{ fingerprint: AnswerFingerprint; index: AnswerCount; span: AnswerSpan; token: string }> };
export type AnswerProvider = "gpt" | "grok";
export type AnswerRefusal = { code: "not_json" | "not_utf8" | "lone_surrogate" | "too_deep" | "too_many_entries" | "not_a_wrapper" | "no_list" | "accounts_not_a_list" | "tokens_not_a_list" | "body_not_an_object" | "payload_missing" | "replace_needs_source" | "replace_needs_accounts" | "replace_needs_tokens" | "context"; message: string; span: AnswerSpan | null };
export type AnswerSpan = [number, number];

/** The page's module: both are JSON text in UTF-8, a payload and a `Context`; so is the `Answer`. */
export function plan(payload: Uint8Array, context: Uint8Array): Uint8Array;
export function version(): string;
export default function init(options: { module_or_path: unknown }): Promise<unknown>;
