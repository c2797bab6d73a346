/** The Web Locks of this origin; undefined where there are none, as in Node 20 and on pages without TLS. */
export function webLocks (): LockManager | undefined {
  return (globalThis as { navigator?: Partial<Navigator> }).navigator?.locks
}

/** Holds a lock as a sign of life: others get it when the returned function is called, and when this page or worker ends in any way. */
export function holdLock (locks: LockManager, name: string): Promise<() => void> {
  const hold = (onHeld: (letGo: () => void) => void): Promise<void> => new Promise(resolve => { onHeld(resolve) })
  return new Promise((resolve, reject) => { locks.request(name, () => hold(resolve)).catch(reject) })
}

/** Calls `work` with the lock, once its holder has let go of it or has ended. Nothing happens any more after an abort of `signal`. */
export async function whenFree (locks: LockManager, name: string, signal: AbortSignal, work: () => void | Promise<void>): Promise<void> {
  try {
    await locks.request(name, { signal }, work)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
