interface Target {
  addEventListener? (type: string, listener: () => void): void
  removeEventListener? (type: string, listener: () => void): void
}

/** Calls `onWake` when the page is shown, or the machine finds a network [C5]; never where there is no page. @returns what ends that. */
export function listenForWake (onWake: () => void): () => void {
  const scope = globalThis as Target
  const page = (globalThis as { document?: Document }).document
  const onVisible = (): void => { if (page?.visibilityState === 'visible') onWake() }
  scope.addEventListener?.('online', onWake)
  scope.addEventListener?.('pageshow', onWake)
  page?.addEventListener('visibilitychange', onVisible)
  return () => {
    scope.removeEventListener?.('online', onWake)
    scope.removeEventListener?.('pageshow', onWake)
    page?.removeEventListener('visibilitychange', onVisible)
  }
}
