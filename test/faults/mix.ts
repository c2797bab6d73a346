import { setTimeout as sleep } from 'node:timers/promises'
import type { Ledger } from './ledger.ts'
import type { Recorder, Sent } from './recorder.ts'

/** Codes after which the same request is sent again. */
export const TRANSIENT = new Set(['unavailable', 'busy', 'lost'])
export const RETRY_MS = 200
/** Newest messages of a channel that are edited and that others react to. */
const MAX_KNOWN = 8
/** Every so many-th message is only there to be deleted: nobody replies or reacts to it, so nothing else meets the deletion. */
const DOOMED = 10
const REACTIONS = ['👍', '🎉', '👀']
const TURNS = ['add', 'edit', 'signal', 'add', 'remove', 'delete'] as const

interface Known { id: string, author: Recorder }
interface Standing { writer: Recorder, id: string, reaction: string }

export type Mix = ReturnType<typeof createMix>

/** Makes requests of every kind besides new messages, about messages that were acked before, and notes their outcomes in the ledger. */
export function createMix (ledger: Ledger, name: string) {
  const known = new Map<string, Known[]>()
  const doomed = new Map<string, Known[]>()
  /** Reactions that are to be taken back. */
  const standing = new Map<string, Standing[]>()
  let [turn, sent, signals] = [0, 0, 0]

  function remember<T> (places: Map<string, T[]>, channel: string, item: T): void {
    const list = places.get(channel) ?? []
    if (list.length === MAX_KNOWN) list.shift()
    places.set(channel, [...list, item])
  }

  /** Repeats a command until its outcome is certain. `done`: codes that say that an earlier try took effect. */
  async function insist (writer: Recorder, channel: string, command: object, done: string[], isOver: () => boolean): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const outcome = await writer.act(channel, command)
      if (attempt > 0 && outcome.code !== null && done.includes(outcome.code)) return
      ledger.note(channel, writer.port, outcome)
      if (outcome.code === null || !TRANSIENT.has(outcome.code) || (isOver() && !writer.open)) return
      await sleep(RETRY_MS)
    }
  }

  return {
    /** Takes note of a message that was acked. */
    note (channel: string, author: Recorder, outcome: Sent): void {
      if (outcome.code === null) remember(++sent % DOOMED === 0 ? doomed : known, channel, { id: outcome.id, author })
    },

    /** The id of a message of the channel that can be replied to, if there is one yet. */
    target: (channel: string): string | undefined => known.get(channel)?.at(-1)?.id,

    /** Makes the next request. `isOver`: whether a writer that is disconnected will not come back. */
    async act (writer: Recorder, channel: string, isOver: () => boolean = () => true): Promise<void> {
      const kind = TURNS[turn++ % TURNS.length]!
      const targets = known.get(channel) ?? []
      const { id, author = writer } = targets[turn % (targets.length || 1)] ?? {}
      if (kind === 'signal') {
        const signal = `${name}-${++signals}`
        ledger.signalled(signal, writer)
        await writer.ask({ type: 'signal', channel, event: 'mixed', data: signal })
      } else if (kind === 'delete') {
        const victim = doomed.get(channel)?.shift()
        if (victim) await insist(victim.author, channel, { command: 'delete_message', id: victim.id }, ['message_not_found'], isOver)
      } else if (id !== undefined && kind === 'edit') {
        await insist(author, channel, { command: 'edit_message', id, message: `${name} edit ${turn}` }, [], isOver)
      } else if (kind === 'remove') {
        const past = standing.get(channel)?.shift()
        if (past) await insist(past.writer, channel, { command: 'remove_reaction', id: past.id, reaction: past.reaction }, [], isOver)
      } else if (id !== undefined) {
        const reaction = REACTIONS[turn % REACTIONS.length]!
        await insist(writer, channel, { command: 'add_reaction', id, reaction }, [], isOver)
        remember(standing, channel, { writer, id, reaction })
      }
    }
  }
}
