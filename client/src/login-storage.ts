import type { LoginStorage, ParleyOptions } from './options.ts'

interface Page { localStorage?: Storage, sessionStorage?: Storage, addEventListener?: unknown }

/** Creates the storage of the login. Where the browser has none, or refuses it, the login is kept in memory. */
export function createLoginStorage (wanted: ParleyOptions['storage'] = 'local', key: string): LoginStorage {
  if (typeof wanted === 'object') return wanted
  const storage = wanted === 'memory' ? undefined : storageOf(wanted)
  return storage ? webStorage(storage, key) : memoryStorage()
}

/** Merely reading the property throws where the user has blocked all storage. */
function storageOf (wanted: 'local' | 'session' | 'cookie'): Storage | undefined {
  const page = globalThis as Page
  try {
    // Node has these objects too, but they belong to no origin.
    return page.addEventListener ? (wanted === 'session' ? page.sessionStorage : page.localStorage) : undefined
  } catch {
    return undefined
  }
}

function memoryStorage (): LoginStorage {
  let kept: string | null = null
  return {
    load: () => kept,
    save: login => { kept = login }
  }
}

function webStorage (storage: Storage, key: string): LoginStorage {
  const spare = memoryStorage()
  return {
    load: () => storage.getItem(key) ?? spare.load(),
    save (login) {
      spare.save(null)
      if (login === null) return storage.removeItem(key)
      try {
        // At no moment may other tabs see that there is no login: they would end theirs.
        storage.setItem(key, login)
      } catch {
        // The storage is full, so the login lasts as long as the page.
        storage.removeItem(key)
        spare.save(login)
      }
    },
    subscribe (listener) {
      const onStorage = (event: StorageEvent): void => {
        // A null key: all of the storage was cleared.
        if (event.storageArea === storage && (event.key === key || event.key === null)) listener()
      }
      addEventListener('storage', onStorage)
      return () => removeEventListener('storage', onStorage)
    }
  }
}
