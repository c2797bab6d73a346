/** Milliseconds after which a database that has not answered counts as down. */
const PATIENCE_MS = 2000

/** Measures round trips to the database, one at a time. */
export function createPing (ask: () => Promise<unknown>) {
  let askedAt: number | null = null
  let result: { up: boolean, ms: number | null } = { up: true, ms: null }

  async function measure (begun: number): Promise<void> {
    try {
      await ask()
      result = { up: true, ms: performance.now() - begun }
    } catch {
      // The caller of `take` learns that the database is down; whoever needs it logs why.
      result = { up: false, ms: null }
    }
    askedAt = null
  }

  return {
    /** Asks the database unless it still owes an answer. */
    ask (): void {
      if (askedAt !== null) return
      askedAt = performance.now()
      measure(askedAt)
    },

    /** Whether the database answers, and the milliseconds that it took the last time; null where that is not known. */
    take: (): { up: boolean, ping_ms: number | null } => {
      const isLate = askedAt !== null && performance.now() - askedAt >= PATIENCE_MS
      return isLate ? { up: false, ping_ms: null } : { up: result.up, ping_ms: result.ms }
    }
  }
}
