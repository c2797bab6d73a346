import { AppError } from '../../src/errors.ts'
import type { Events } from '../../src/services/events.ts'
import { createPublisher } from '../../src/services/publisher.ts'
import type { MessageStore, NewMessage, Verdict } from '../../src/store/messages.ts'
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
