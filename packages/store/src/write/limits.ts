/** Most write sets in one transaction: bounds how long the first waits for the last. */
export const MAX_BATCH = 256;
/** Most that wait; a longer queue is an answer, not a wait. */
export const MAX_QUEUE = 10_000;
