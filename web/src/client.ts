import { createParley } from '@parley/client'

/** The client of the server that delivered this page. */
export const parley = createParley({
  url: new URL('.', document.baseURI),
  outbox: { storage: 'indexeddb' }
})
