import type { KeptMessage, OutboxStorage } from './outbox-storage.ts'
import { holdLock, webLocks, whenFree } from './web-locks.ts'

const STORE = 'outbox'

/** `owner`: the client in whose hand the message is. */
interface Kept extends KeptMessage { userId: string, owner: string }

/**
 * Keeps messages in IndexedDB. Each client holds a Web Lock while it lives, so that exactly one other client takes its messages when it has
 * ended [C4]. The database of a server is named by `key`.
 */
export function createIndexedDbOutbox (key: string, owner: string): OutboxStorage {
  const lockOf = (name: string): string => `${key}:outbox:${name}`
  let opening: Promise<IDBDatabase> | undefined
  let alive: Promise<() => void> | undefined
  let stop = new AbortController()
  /** Clients whose end is waited for. */
  const awaited = new Set<string>()

  function open (): Promise<IDBDatabase> {
    opening ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(key, 1)
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: ['userId', 'channel', 'clientId'] })
      request.onsuccess = () => {
        const database = request.result
        // The user has cleared the storage, or another version wants to change it.
        database.onclose = database.onversionchange = close
        resolve(database)
      }
      request.onerror = () => reject(request.error)
    }).catch((error: unknown) => {
      opening = undefined
      throw error
    })
    return opening
  }

  function close (): void {
    opening?.then(database => database.close()).catch(() => {})
    opening = undefined
  }

  /** Runs one transaction. @returns the result of the request that `work` returns. */
  async function transact<T> (mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    const database = await open()
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode)
      const request = work(transaction.objectStore(STORE))
      transaction.oncomplete = () => resolve(request.result)
      transaction.onabort = () => reject(transaction.error)
    })
  }

  /** Makes one change. The browser completes it even if the page ends at once. */
  const change = (work: (store: IDBObjectStore) => IDBRequest): Promise<void> => transact('readwrite', store => {
    const request = work(store)
    store.transaction.commit()
    return request
  })

  /** Reads a user's messages, and takes those of one ended client in the same transaction. */
  async function read (userId: string, from?: string): Promise<Kept[]> {
    const kept = await transact<Kept[]>(from === undefined ? 'readonly' : 'readwrite', store => {
      const request = store.getAll(IDBKeyRange.bound([userId], [userId, []]))
      request.onsuccess = () => {
        for (const message of request.result as Kept[]) if (message.owner === from) store.put({ ...message, owner })
      }
      return request
    })
    return kept.sort((a, b) => a.order - b.order)
  }

  /** Takes the messages of a client that has ended, or takes them once it has ended. */
  async function inherit (locks: LockManager, userId: string, from: string, onFound: (messages: KeptMessage[]) => void): Promise<void> {
    const isEnded = await locks.request(lockOf(from), { ifAvailable: true }, async lock => {
      if (lock) await read(userId, from)
      return lock !== null
    })
    if (isEnded || awaited.has(from)) return
    awaited.add(from)
    whenFree(locks, lockOf(from), stop.signal, async () => {
      awaited.delete(from)
      onFound((await read(userId, from)).filter(message => message.owner === from))
    }).catch(() => { awaited.delete(from) })
  }

  return {
    async take (userId, onFound) {
      const locks = webLocks()
      if (!locks) throw new Error('no Web Locks: messages could be sent by two tabs')
      alive ??= holdLock(locks, lockOf(owner))
      await alive
      const owners = new Set((await read(userId)).map(message => message.owner))
      for (const from of owners) if (from !== owner) await inherit(locks, userId, from, onFound)
      return (await read(userId)).filter(message => message.owner === owner)
    },

    put: (userId, message) => change(store => store.put({ ...message, userId, owner })),
    remove: (userId, { channel, clientId }) => change(store => store.delete([userId, channel, clientId])),

    release () {
      stop.abort()
      stop = new AbortController()
      awaited.clear()
      alive?.then(letGo => letGo()).catch(() => {})
      alive = undefined
      close()
    }
  }
}
