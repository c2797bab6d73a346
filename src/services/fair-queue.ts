import { AppError } from '../errors.ts'

interface Waiting { begin (): void, refuse (error: AppError): void }

/**
 * Runs pieces of work, at most `concurrency` at a time. Waiting pieces take turns by key, and keys without running work come first, so a
 * key with much work delays the work of another key only until the next running piece ends. At most `maxWaiting` pieces wait, and at most
 * `maxWaitingOfOne` of each key. When the queue is full, a piece of a key with few waiting pieces replaces the newest piece of the key
 * with the most.
 */
export function createFairQueue ({ concurrency, maxWaiting, maxWaitingOfOne }: {
  concurrency: number, maxWaiting: number, maxWaitingOfOne: number
}) {
  let size = 0
  /** Number of running pieces of work by key. */
  const running = new Map<string, number>()
  /** Waiting pieces of work by key, with the keys in the order of their turns. */
  const lines = new Map<string, Waiting[]>()

  function place (key: string): Promise<void> {
    const line = lines.get(key) ?? []
    if (line.length >= maxWaitingOfOne) throw new AppError('busy')
    if (size >= maxWaiting) makeRoomFor(line)
    lines.set(key, line)
    size++
    return new Promise((resolve, reject) => line.push({ begin: resolve, refuse: reject }))
  }

  /** Refuses the newest piece of the key with the most waiting. @throws AppError `busy` if no key has more than this one would have. */
  function makeRoomFor (line: Waiting[]): void {
    const longest = [...lines.values()].reduce((one, other) => other.length > one.length ? other : one)
    if (longest.length <= line.length + 1) throw new AppError('busy')
    longest.pop()!.refuse(new AppError('busy'))
    size--
  }

  function begin (key: string): void {
    running.set(key, (running.get(key) ?? 0) + 1)
  }

  function end (key: string): void {
    const left = running.get(key)! - 1
    if (left > 0) running.set(key, left)
    else running.delete(key)
  }

  function isFull (): boolean {
    let count = 0
    for (const pieces of running.values()) count += pieces
    return count >= concurrency
  }

  function next (): void {
    const keys = [...lines.keys()]
    const turn = keys.find(key => !running.has(key)) ?? keys[0]
    if (turn === undefined) return
    const line = lines.get(turn)!
    lines.delete(turn)
    size--
    begin(turn)
    line.shift()!.begin()
    if (line.length > 0) lines.set(turn, line)
  }

  /** @throws AppError `busy` if the queue is full. */
  return async function run<T> (key: string, work: () => Promise<T>): Promise<T> {
    if (isFull()) await place(key)
    else begin(key)
    try {
      return await work()
    } finally {
      end(key)
      next()
    }
  }
}
