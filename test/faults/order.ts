import type { Stage } from './scope.ts'
import { startCluster } from './cluster.ts'
import { createMix } from './mix.ts'
import { createReport, type Outcome } from './outcome.ts'

/** Number of sends of one writer that wait for an answer at the same time. */
const WINDOW = 32
/** Messages for each request of another kind. */
const PER_OTHER = 4

/** G4. Writers on two instances send, edit, delete and react in one channel as fast as they are answered: every client gets one order. */
export async function oneOrder (stage: Stage, { writers, messages }: { writers: number, messages: number }): Promise<Outcome> {
  const report = createReport()
  const cluster = await startCluster(stage, report)
  const clients = await cluster.enter(writers * 2, ['room'])
  const mix = createMix(cluster.ledger, 'mixed')
  const each = Math.floor(messages / clients.length)
  const began = performance.now()
  await Promise.all(clients.map(async client => {
    let sent = 0
    await Promise.all(Array.from({ length: WINDOW }, async () => {
      while (sent < each) {
        const turn = ++sent
        const outcome = await client.send('room', `message ${turn}`, undefined, turn % PER_OTHER === 0 ? mix.target('room') : undefined)
        cluster.ledger.note('room', client.port, outcome)
        mix.note('room', client, outcome)
        if (turn % PER_OTHER === 0) await mix.act(client, 'room')
      }
    }))
  }))
  report.figure('sent_per_s', each * clients.length / (performance.now() - began) * 1000)
  await cluster.ledger.settle(clients)
  report.equal('messages', cluster.ledger.messages, each * clients.length)
  report.equal('acked', cluster.ledger.acked, report.read('stored'))
  return report.outcome()
}

/**
 * G5. Two instances get a message with one client id at once: there is one row with one `seq`, and one ack says `duplicate` [P28]. They get
 * one reaction to it at once: there is one entry, and one ack has its `seq` [P40].
 */
export async function idempotence (stage: Stage, { pairs }: { pairs: number }): Promise<Outcome> {
  const report = createReport()
  const cluster = await startCluster(stage, report)
  const { ledger, instances: [a, b] } = cluster
  const [here] = await cluster.enter(1, ['room'], [a.port])
  const there = await cluster.join(here!.member, b.port, ['room'])
  const watchers = await cluster.enter(2, ['room'])
  let [differing, firsts, reactions] = [0, 0, 0]
  for (let pair = 0; pair < pairs; pair++) {
    const acks = await Promise.all([here!, there].map(client => client.send('room', `message ${pair}`, `pair-${pair}`)))
    acks.forEach((ack, i) => ledger.note('room', [a, b][i]!.port, ack))
    const [one, two] = acks
    if (one!.code !== null || two!.code !== null || one!.seq !== two!.seq || one!.id !== two!.id) differing++
    firsts += acks.filter(ack => ack.code === null && !ack.duplicate).length
    if (one!.code !== null) continue
    const command = { command: 'add_reaction', id: one!.id, reaction: '👍' }
    const reacted = await Promise.all([here!, there].map(client => client.act('room', command)))
    reacted.forEach((ack, i) => ledger.note('room', [a, b][i]!.port, ack))
    reactions += reacted.filter(ack => ack.code === null && ack.seq !== undefined).length
  }
  await ledger.settle([here!, there, ...watchers])
  report.equal('differing', differing, 0)
  report.equal('first_of_pair', firsts, pairs)
  report.equal('reactions_with_seq', reactions, pairs)
  report.equal('stored', report.read('stored'), 2 * pairs)
  return report.outcome()
}
