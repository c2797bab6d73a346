interface Target {
  addEventListener? (type: string, listener: () => void): void
  removeEventListener? (type: string, listener: () => void): void
}

/**
 * Calls `onWake` when the page is shown, or the machine finds a network [C5]; never where there is no page.
 * @returns a function that ends this.
 */
export function listenForWake (onWake: () => void): () => void {
  const page = (globalThis as { document?: Document }).document
  const sources: Array<[Target | undefined, string]> = [[globalThis, 'online'], [globalThis, 'pageshow'], [page, 'visibilitychange']]
  const listener = (): void => { if (page?.visibilityState !== 'hidden') onWake() }
  for (const [target, type] of sources) target?.addEventListener?.(type, listener)
  return () => { for (const [target, type] of sources) target?.removeEventListener?.(type, listener) }
}
