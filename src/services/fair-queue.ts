import { AppError } from '../errors.ts'

interface Waiting { begin (): void, refuse (error: AppError): void }

/**
 * Runs work, `concurrency` at a time. What has to wait takes turns by key, keys of which nothing runs first, so that one key with much
 * work delays another key's by no more than the piece that ends next. `maxWaiting` may wait, and of each key `maxWaitingOfOne`. When all
 * places are taken, a key with few of them takes one from the key with most.
 */
export function createFairQueue ({ concurrency, maxWaiting, maxWaitingOfOne }: {
  concurrency: number, maxWaiting: number, maxWaitingOfOne: number
}) {
  let size = 0
  /** How many pieces run, of each key. */
  const running = new Map<string, number>()
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

  /** @throws AppError `busy`. */
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
