import type { EntriesEvent } from '../broker/broker.ts'
import type { Entry } from '../schemas/message.ts'

export function lastSeqOf (event: EntriesEvent): number {
  return event.firstSeq + event.ends.length - 1
}

/** The part of a run with `seq > last`. */
export function after (event: EntriesEvent, last: number): EntriesEvent {
  const skipped = last - event.firstSeq + 1
  return skipped <= 0 ? event : part(event, skipped)
}

/** The entries of a run from index `from` up to, but without, index `to`. */
export function part ({ firstSeq, frames, ends, keys, isHint }: EntriesEvent, from: number, to = ends.length): EntriesEvent {
  const start = from === 0 ? 0 : ends[from - 1]!
  return {
    kind: 'entries', firstSeq: firstSeq + from,
    frames: frames.subarray(start, ends[to - 1]),
    ends: ends.slice(from, to).map(end => end - start),
    ...keys && { keys: keys.slice(from, to) }, ...isHint && { isHint }
  }
}

/** The parts of a run whose entries were not told before: `told` has the keys of told entries by `seq`, and loses those of this run. */
export function untold (event: EntriesEvent, told: Map<number, string>): EntriesEvent[] {
  const runs: EntriesEvent[] = []
  let from = 0
  for (let i = 0; i < event.ends.length; i++) {
    const seq = event.firstSeq + i
    const key = told.get(seq)
    told.delete(seq)
    if (key === undefined || key !== event.keys?.[i]) continue
    if (i > from) runs.push(part(event, from, i))
    from = i + 1
  }
  if (from < event.ends.length) runs.push(part(event, from))
  return runs
}

/** Splits entries, which are in order of `seq`, into runs without a gap. */
export function consecutive (entries: Entry[]): Entry[][] {
  const runs: Entry[][] = []
  for (const entry of entries) {
    const run = runs.at(-1)
    if (run && run.at(-1)!.seq + 1 === entry.seq) run.push(entry)
    else runs.push([entry])
  }
  return runs
}
