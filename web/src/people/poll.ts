import { useEffect } from 'preact/hooks'

/** Milliseconds between two reads of what the server tells nobody of. */
const INTERVAL = 10_000

/** Reads now, and again and again while the page is visible. Moderators see so what other moderators do. */
export function usePoll (read: () => Promise<unknown>, subject: unknown, interval = INTERVAL): void {
  useEffect(() => {
    const poll = (): void => { if (!document.hidden) read().catch(() => {}) }
    read().catch(() => {})
    const timer = setInterval(poll, interval)
    return () => clearInterval(timer)
  }, [subject])
}
