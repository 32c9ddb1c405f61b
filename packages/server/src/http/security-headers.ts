/** Headers of every answer that may hold something private: not cached, not framed, not sniffed, no referrer. */
export const PRIVATE_ANSWER_HEADERS = {
  'cache-control': 'no-cache, no-store, max-age=0, must-revalidate',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
} as const;
