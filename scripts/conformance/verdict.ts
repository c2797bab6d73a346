/** A server does something else than the protocol says. */
export class Deviation extends Error {
  readonly expected: string
  readonly came: string

  constructor (expected: string, came: unknown) {
    const shown = typeof came === 'string' ? came : JSON.stringify(came) ?? 'nothing'
    super(`expected ${expected}; came ${shown.slice(0, 400)}`)
    this.expected = expected
    this.came = shown.slice(0, 400)
  }
}

/** A case that cannot be judged on this server, and why. */
export class Withheld extends Error {
  readonly verdict: 'not seen' | 'not offered'

  constructor (verdict: 'not seen' | 'not offered', reason: string) {
    super(reason)
    this.verdict = verdict
  }
}

/** @throws Deviation unless the condition holds. `came`: what is shown instead. */
export function check (holds: boolean, expected: string, came: unknown): void {
  if (!holds) throw new Deviation(expected, came)
}

/** @throws Deviation unless both are the same JSON value, whatever the order of keys. */
export function same (came: unknown, wanted: unknown, what: string): void {
  check(canonical(came) === canonical(wanted), `${what} ${JSON.stringify(wanted)}`, came)
}

function canonical (value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1))
      : inner) ?? 'undefined'
}
