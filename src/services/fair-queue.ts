import { AppError } from '../errors.ts'

interface Waiting { begin (): void, refuse (error: AppError): void }

/**
 * Runs work, `concurrency` at a time. What has to wait takes turns by key, so that one key with much work delays another key's by one
 * piece. `maxWaiting` may wait, and of each key `maxWaitingOfOne`. When all places are taken, a key with few of them takes one from the
 * key with most.
 */
export function createFairQueue ({ concurrency, maxWaiting, maxWaitingOfOne }: {
  concurrency: number, maxWaiting: number, maxWaitingOfOne: number
}) {
  let running = 0
  let size = 0
  /** The key whose turn is next stands first. */
  const lines = new Map<string, Waiting[]>()

  function place (key: string): Promise<void> {
    const line = lines.get(key) ?? []
    if (line.length >= maxWaitingOfOne) throw new AppError('busy')
    if (size >= maxWaiting) makeRoomFor(line)
    lines.set(key, line)
    size++
    return new Promise((resolve, reject) => line.push({ begin: resolve, refuse: reject }))
  }

  /** @throws AppError `busy` where no key has more waiting than this one would. */
  function makeRoomFor (line: Waiting[]): void {
    const longest = [...lines.values()].reduce((one, other) => other.length > one.length ? other : one)
    if (longest.length <= line.length + 1) throw new AppError('busy')
    longest.pop()!.refuse(new AppError('busy'))
    size--
  }

  function next (): void {
    const [turn] = lines
    if (turn === undefined) {
      running--
      return
    }
    const [key, line] = turn
    lines.delete(key)
    size--
    line.shift()!.begin()
    if (line.length > 0) lines.set(key, line)
  }

  /** @throws AppError `busy`. */
  return async function run<T> (key: string, work: () => Promise<T>): Promise<T> {
    if (running < concurrency) running++
    else await place(key)
    try {
      return await work()
    } finally {
      next()
    }
  }
}
