import { createParley } from '@parley/client'

/** The client of the server that delivered this page. */
export const parley = createParley({
  url: new URL('.', document.baseURI),
  storage: 'cookie',
  outbox: { storage: 'indexeddb' },
  // The list of messages renders only those in sight.
  channels: { window: 10_000 }
})
