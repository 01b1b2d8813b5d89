// The accounts that are marked, on whatever page of the list.

/** Their masked tokens by id. */
export const marked = new Map();
