import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves when `holds` does; rejects with `what` after `deadline` milliseconds. */
export async function until (what: string, holds: () => boolean | Promise<boolean>, deadline = 10_000): Promise<void> {
  const end = performance.now() + deadline
  while (!await holds()) {
    if (performance.now() > end) throw new Error(`not within ${deadline} ms: ${what}`)
    await sleep(5)
  }
}
