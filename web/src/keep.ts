// Settings and drafts that this browser keeps. They are lost if the browser keeps nothing, as in some private windows.

const PREFIX = 'parley-web:'

/** Reads what was kept under `key`. `accept` gets the stored value, or undefined, and returns one that fits. */
export function load<T> (key: string, accept: (value: unknown) => T): T {
  try {
    return accept(JSON.parse(localStorage.getItem(PREFIX + key) ?? 'null') ?? undefined)
  } catch {
    return accept(undefined)
  }
}

/** Keeps a value; undefined removes it. */
export function save (key: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(PREFIX + key)
    else localStorage.setItem(PREFIX + key, JSON.stringify(value))
  } catch {
    // The browser keeps nothing, or has no more room: the value lasts as long as the page.
  }
}
