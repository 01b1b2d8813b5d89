/* Tributary: what a payload of accounts would change in a pool.
 *
 * The same four functions are exported by tributary.wasm, which imports nothing: there an address is a u32 into the
 * exported `memory`, and a buffer is two u32, `ptr` then `len`, little-endian.
 *
 * Who frees what: every buffer is made by this library, by `tributary_buffer_new` or as an answer, belongs to the caller
 * and is given back with `tributary_buffer_free`, once. `tributary_plan` reads its two buffers and leaves them to the
 * caller. `ptr` and `len` are never changed; the bytes at `ptr` may be. Nothing is kept between calls, and calls with
 * different buffers may run at the same time in different threads.
 *
 * In wasm a call may grow the memory: views onto it are to be made anew after every call. When memory runs out inside
 * `tributary_plan` the module traps (a native program ends); an instance that trapped is not used again.
 *
 * Payload: the JSON text that a source would answer, in UTF-8, with or without a byte order mark.
 *
 * Context: a JSON object. Every member may be left out.
 *   "strategy"   "merge" (adds and updates) or "replace" (also lets go of what the payload lacks). Default "merge".
 *   "source_id"  who imports; without it the import is local. "replace" needs one.
 *   "provider"   "gpt", "grok" or "": whose accounts those are that do not say it themselves. Default gpt.
 *   "removal"    "remove" or "disable": what happens to an account that nobody owns any more. Default "remove".
 *   "plan_hash"  true: the answer names the plan by a hash. Default false.
 *   "outline"    true: changes that an entry brings about are told without "provider", "owners" and "fields". The answer
 *                takes a third of the time, where "plan_hash" is not asked for, and far less room: who has the payload sees
 *                there what an entry brings. Default false.
 *   "salt"       64 hex digits: the key of the pool's fingerprints. Default all zero.
 *   "pool"       the accounts that exist: a list of
 *     "fingerprint"     32 hex digits: the account's token, keyed. Required.
 *     "token"           the token, masked; it is only repeated in the answer.
 *     "provider"        "gpt" or "grok".
 *     "owners"          {"local": bool, "sources": [ids]}.
 *     "fields"          the account's fields, with "…" at every secret value.
 *     "secrets"         the fingerprints of those values, in their order.
 *     "earlier_status"  what the status was before the account was disabled.
 *
 * Answer: {"plan": …} or {"refusal": {"code", "message", "span"}}, whatever the bytes. A plan is
 *   "strategy", "source_id" (or null), "provider", "shape" ("list", "accounts" or "tokens")
 *   "counts"     {"total", "added", "updated", "unchanged", "skipped", "released", "disabled", "removed"}
 *   "plan_hash"  64 hex digits, where the context asks for them: equal for plans that change the same, made with the same
 *                strategy, source and provider
 *   "changes"    in the order in which they are applied: {"change": "release" | "disable" | "remove" | "add" | "update",
 *                "index" and "span" (of the entry, where there is one), "fingerprint", "token" (masked),
 *                "provider" and "owners" as {"before", "after"}, "fields": [{"name", "before", "after"}]}; an outline has
 *                the last three only where no entry brings the change about
 *   "unchanged"  [{"index", "span", "fingerprint", "token"}]
 *   "skips"      [{"index", "span", "reason", "first" (the index of the one it repeats)}]
 *   "notes"      [{"code", "index", "field"}]
 * A span is [offset, length] in bytes of the payload as it was given. A token is never in an answer.
 *
 * context.schema.json, answer.schema.json and tributary.d.ts beside this file say the same for machines.
 */
#ifndef TRIBUTARY_H
#define TRIBUTARY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes with their length. */
typedef struct TributaryBuffer {
    uint8_t *ptr;
    size_t len;
} TributaryBuffer;

/* The version that this header describes; a library that answers another one is not to be used with it. */
#define TRIBUTARY_ABI_VERSION 1u

uint32_t tributary_abi_version(void);

/* A buffer of `len` zero bytes to write into; NULL when there is no room. */
TributaryBuffer *tributary_buffer_new(uint32_t len);

/* Gives a buffer back. NULL is ignored. */
void tributary_buffer_free(TributaryBuffer *buffer);

/* What `payload` would change under `context`. NULL means no bytes. Never answers NULL. */
TributaryBuffer *tributary_plan(const TributaryBuffer *payload, const TributaryBuffer *context);

#ifdef __cplusplus
}
#endif

#endif
