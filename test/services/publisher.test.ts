import { AppError } from '../../src/errors.ts'
import type { Events } from '../../src/services/events.ts'
import { createPublisher } from '../../src/services/publisher.ts'
import type { Entry } from '../../src/schemas/message.ts'
import type { Batch, BatchVerdicts, MessageStore, NewMessage, Verdict } from '../../src/store/messages.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'

/** A store whose batches wait until the test calls `end`. */
function createStore () {
  const batches: Array<{ messages: NewMessage[], end: (verdicts: Verdict[] | Error) => void }> = []
  const publish: MessageStore['publish'] = messages => new Promise((resolve, reject) => {
    batches.push({ messages, end: outcome => outcome instanceof Error ? reject(outcome) : resolve(outcome) })
  })
  return { batches, publish }
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
const draft = (text: string) => ({
  channelId: 'c1', channelName: 'general', userId: 'u1', sid: null, username: 'ann', text,
  clientId: undefined, replyTo: undefined, data: undefined
})

t.test('[G15] when a handler of events throws, a fault is reported, stored messages are acked and the queue goes on', async t => {
  const { batches, publish } = createStore()
  const faults: unknown[] = []
  const events = {
    entriesStored: () => { throw new Error('boom') },
    faultFound: (error: unknown) => { faults.push(error) }
  } as unknown as Events
  const publisher = createPublisher({ store: { publish } as MessageStore, events, queueSize: 10, batchSize: 10 })
  const outcomes: string[] = []
  const send = (text: string): void =>
    publisher.publish(draft(text), (error, receipt) => outcomes.push(`${text}: ${error?.code ?? receipt!.seq}`))

  send('one')
  await turn()
  send('two')
  for (const seq of [1, 2]) {
    const { messages: [message], end } = batches[seq - 1]!
    end([{ code: null, id: message!.id, seq, duplicate: false, createdAt: new Date(), told: null }])
    await turn()
  }
  await publisher.close()
  t.same(outcomes, ['one: 1', 'two: 2'])
  t.match(faults, [{ message: 'boom' }, { message: 'boom' }])
})

t.test('[G16] after one time-out all messages are refused as unavailable at once, until the database answers again', async t => {
  const { batches, publish } = createStore()
  const pings: Array<(back: boolean) => void> = []
  const ping = (): Promise<void> => new Promise((resolve, reject) => {
    pings.push(back => back ? resolve() : reject(new Error('away')))
  })
  const publisher = createPublisher({ store: { publish, ping } as MessageStore, events: {} as Events, queueSize: 10, batchSize: 1 })
  const outcomes: string[] = []
  const send = (text: string, then?: string): void => publisher.publish(draft(text), error => {
    outcomes.push(`${text}: ${error?.code ?? 'stored'}`)
    if (then) send(then)
  })

  send('in flight', 'in answer')
  await turn()
  send('behind it')
  batches[0]!.end(new AppError('unavailable'))
  await turn()
  t.same(outcomes.splice(0).sort(), ['behind it: unavailable', 'in answer: unavailable', 'in flight: unavailable'])
  send('while it is away')
  t.same(outcomes.splice(0), ['while it is away: unavailable'])
  pings[0]!(false)
  pings[await eventually(() => pings.length === 2 && 1)]!(true)
  await turn()
  send('when it is back')
  await turn()
  t.equal(batches.length, 2)
  t.same(outcomes, [])
})

/** A store that notes its calls. The test ends a mixed one with `end`. */
function createCounted () {
  const calls: Array<{ name: string, size: number[] }> = []
  const ends: Array<(verdicts: BatchVerdicts) => void> = []
  const at = new Date()
  const verdict = (seq: number) => ({ code: null, id: `m${seq}`, seq, createdAt: at, duplicate: false, told: null })
  const store = {
    publish: async (messages: NewMessage[]) => {
      calls.push({ name: 'publish', size: [messages.length] })
      return messages.map((_, i) => verdict(i + 1))
    },
    commit: ({ messages, changes, reactions }: Batch) => new Promise(resolve => {
      calls.push({ name: 'commit', size: [messages.length, changes.length, reactions.length] })
      ends.push(resolve)
    })
  } as unknown as MessageStore
  return { store, calls, ends, at, verdict }
}

const change = (messageId: string, text: string | null) => ({ channelName: 'general', userId: 'u1', sid: null, messageId, text })
const reaction = (userId: string, isAdded = true) =>
  ({ channelName: 'general', userId, sid: null, messageId: 'm1', reaction: '👍', isAdded })

t.test('[P40] requests of all kinds that wait together are one round trip; messages only go the way that they always went', async t => {
  const { store, calls, ends, at, verdict } = createCounted()
  const delivered: Entry[][] = []
  const outcomes: string[] = []
  const note = (name: string) => (error: AppError | null, receipt?: { seq?: number }) => {
    outcomes.push(`${name}: ${error?.code ?? receipt?.seq ?? 'nothing'}`)
  }
  const events = { entriesStored: (_: string, entries: Entry[]) => { delivered.push(entries) } } as unknown as Events
  const publisher = createPublisher({ store, events, queueSize: 20, batchSize: 20 })
  publisher.publish(draft('one'), note('one'))
  publisher.publish(draft('two'), note('two'))
  await eventually(() => outcomes.length === 2)
  t.same(calls.splice(0), [{ name: 'publish', size: [2] }])

  publisher.react(reaction('u1'), note('first reaction'))
  publisher.publish(draft('three'), note('three'))
  publisher.change(change('m1', 'new'), note('edit'))
  publisher.react(reaction('u2'), note('second reaction'))
  publisher.publish(draft('four'), note('four'))
  publisher.change(change('m2', null), note('deletion'))
  publisher.react(reaction('u3'), note('third reaction'))
  await eventually(() => ends.length === 1)
  t.same(calls, [{ name: 'commit', size: [2, 2, 3] }])
  const stored = (seq: number | null) => ({ code: null, channelId: 'c1', seq, createdAt: at })
  ends[0]!({
    messages: [verdict(3), verdict(4)],
    changes: [{ ...stored(5), seq: 5, authorId: 'u1', data: null }, { code: 'message_not_found', retryAfterMs: undefined }],
    reactions: [
      { ...stored(6), username: 'ann', handle: 'ann' },
      { ...stored(null), username: 'ben', handle: 'ben' },
      { ...stored(7), username: 'carl', handle: null }
    ]
  })
  await publisher.close()
  t.same(outcomes.slice(2), [
    'three: 3', 'four: 4', 'edit: 5', 'deletion: message_not_found', 'first reaction: 6', 'second reaction: nothing', 'third reaction: 7'
  ])
  t.same(delivered.map(entries => entries.map(({ seq }) => seq)), [[1, 2], [3, 4], [5], [6, 7]])
})

t.test('[P40] an entry is in flight only if it is itself being committed, whatever else happens to its message', async t => {
  const { store, ends, at } = createCounted()
  const publisher = createPublisher({ store, events: { entriesStored () {} } as unknown as Events, queueSize: 20, batchSize: 20 })
  const done = (): void => {}
  publisher.react(reaction('u1'), done)
  publisher.react(reaction('u2', false), done)
  publisher.change(change('m1', 'new'), done)
  publisher.change(change('m2', null), done)
  await eventually(() => ends.length === 1)
  const base = { seq: 1, channel: 'general', timestamp: 'now' }
  const reacted = (type: 'reaction_added' | 'reaction_removed', id: string, userId: string, text = '👍'): Entry =>
    ({ ...base, type, id, user_id: userId, username: 'x', handle: 'x', reaction: text })
  const entries: Record<string, [Entry, boolean]> = {
    'the reaction': [reacted('reaction_added', 'm1', 'u1'), true],
    'the reaction taken back': [reacted('reaction_removed', 'm1', 'u2'), true],
    'the edit': [{ ...base, type: 'message_edited', id: 'm1', user_id: 'u1', message: 'new' }, true],
    'the deletion': [{ ...base, type: 'message_deleted', id: 'm2', user_id: 'u1' }, true],
    'the reaction of another user': [reacted('reaction_added', 'm1', 'u3'), false],
    'another reaction of the user': [reacted('reaction_added', 'm1', 'u1', '🎉'), false],
    'the reaction to another message': [reacted('reaction_added', 'm2', 'u1'), false],
    'its opposite': [reacted('reaction_removed', 'm1', 'u1'), false],
    'the message itself': [{ ...base, type: 'message', id: 'm1', user_id: 'u1', username: 'x', message: 'x' }, false],
    'the deletion of the edited message': [{ ...base, type: 'message_deleted', id: 'm1', user_id: 'u1' }, false]
  }
  for (const [name, [entry, isInFlight]] of Object.entries(entries)) t.equal(publisher.isInFlight(entry), isInFlight, name)
  const stored = { code: null, channelId: 'c1', createdAt: at } as const
  ends[0]!({
    messages: [],
    changes: [1, 2].map(seq => ({ ...stored, seq, authorId: 'u1', data: null })),
    reactions: [3, 4].map(seq => ({ ...stored, seq, username: 'ann', handle: 'ann' }))
  })
  await publisher.close()
  for (const [name, [entry]] of Object.entries(entries)) t.notOk(publisher.isInFlight(entry), `${name}, when it is settled`)
})
