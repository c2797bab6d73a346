/** The Web Locks of this origin; undefined where there are none, as in Node 20 and on pages without TLS. */
export function webLocks (): LockManager | undefined {
  return (globalThis as { navigator?: Partial<Navigator> }).navigator?.locks
}

/** Holds a lock as a sign of life: others get it when the returned function is called, and when this page or worker ends in any way. */
export async function holdLock (locks: LockManager, name: string): Promise<() => void> {
  let release = (): void => {}
  const released = new Promise<void>(resolve => { release = resolve })
  await new Promise<void>((resolve, reject) => {
    locks.request(name, () => {
      resolve()
      return released
    }).catch(reject)
  })
  return release
}

/** Calls `work` with the lock, once its holder has let go of it or has ended. Nothing happens any more after an abort of `signal`. */
export async function whenFree (locks: LockManager, name: string, signal: AbortSignal, work: () => void | Promise<void>): Promise<void> {
  try {
    await locks.request(name, { signal }, work)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
